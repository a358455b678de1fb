// SPDX-License-Identifier: Apache-2.0
#include "aws/spot_notice.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace spotkeeper::aws {

namespace json = boost::json;

namespace {

constexpr size_t kMaxQuoted = 60;

// A value of the other side's, fit for one line of a message.
std::string quoted(const json::value& value) {
  std::string text = json::serialize(value);
  return text.size() <= kMaxQuoted ? text : cut(std::move(text), kMaxQuoted) + "…";
}

std::unexpected<Error> malformed(const std::string& what) {
  return permanent("spot/instance-action: " + what);
}

// The string member of that name, or an Error that says what stands there instead.
Result<std::string> string_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return malformed(fmt::format("\"{}\" is missing", name));
  const json::string* text = value->if_string();
  if (text == nullptr) {
    return malformed(fmt::format("\"{}\" is not a string: {}", name, quoted(*value)));
  }
  if (text->empty()) return malformed(fmt::format("\"{}\" is empty", name));
  return std::string(text->begin(), text->end());
}

SpotActionKind kind_of(std::string_view action) {
  if (action == "terminate") return SpotActionKind::kTerminate;
  if (action == "stop") return SpotActionKind::kStop;
  if (action == "hibernate") return SpotActionKind::kHibernate;
  return SpotActionKind::kOther;
}

}  // namespace

Result<SpotAction> parse_instance_action(const std::string& body) {
  boost::system::error_code error;
  const json::value document = json::parse(body, error);
  if (error) return malformed("not JSON (" + error.message() + ")");
  const json::object* object = document.if_object();
  if (object == nullptr) return malformed("not a JSON object: " + quoted(document));
  auto action = string_member(*object, "action");
  if (!action) return std::unexpected(std::move(action.error()));
  const auto time = string_member(*object, "time");
  if (!time) return std::unexpected(time.error());
  SpotAction result;
  result.kind = kind_of(*action);
  result.action = std::move(*action);
  if (!parse_time(*time, result.time)) {
    return malformed("\"time\" is not RFC 3339: " + quoted(json::value(*time)));
  }
  return result;
}

std::optional<Time> parse_termination_time(const std::string& body) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t first = body.find_first_not_of(kBlank);
  if (first == std::string::npos) return std::nullopt;
  const size_t last = body.find_last_not_of(kBlank);
  Time time;
  if (!parse_time(body.substr(first, last - first + 1), time)) return std::nullopt;
  return time;
}

}  // namespace spotkeeper::aws
