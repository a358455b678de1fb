// SPDX-License-Identifier: Apache-2.0
#include "aws/answer.h"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <charconv>
#include <string_view>

#include "aws/retry.h"
#include "base/json.h"
#include "base/text.h"

namespace spotkeeper::aws {
namespace {

namespace json = boost::json;

constexpr size_t kLongestCode = 100;
constexpr Millis kLongestPause = std::chrono::hours(1);

// "com.amazon.coral#NotFound:http://…" is "NotFound"; nothing that could not be a code.
std::string code_in(std::string_view text) {
  text = text.substr(0, text.find(':'));
  text = text.substr(text.rfind('#') + 1);  // npos + 1 is 0
  const bool plain = text.size() <= kLongestCode && std::ranges::all_of(text, [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
                     });
  return plain ? std::string(text) : "";
}

std::string header(const http::Headers& headers, std::string_view name) {
  const std::string* value = http::find_header(headers, name);
  return value == nullptr ? "" : *value;
}

std::string first_of(std::initializer_list<std::string> texts) {
  for (const std::string& text : texts) {
    if (!text.empty()) return text;
  }
  return "";
}

Refusal from_json(const http::Response& answer) {
  boost::system::error_code broken;
  const json::value body = json::parse(answer.body, broken);  // null when broken
  Refusal refusal;
  // The first is of services that once spoke the query protocol: "Code;Sender".
  const std::string query = header(answer.headers, "x-amzn-query-error");
  refusal.code = first_of({code_in(query.substr(0, query.find(';'))),
                           code_in(header(answer.headers, "x-amzn-errortype")),
                           code_in(text_at(body, {"__type"})), code_in(text_at(body, {"code"}))});
  refusal.message = first_of(
      {text_at(body, {"message"}), text_at(body, {"Message"}), text_at(body, {"errorMessage"})});
  return refusal;
}

Refusal from_xml(const http::Response& answer) {
  const Result<Xml> body = parse_xml(answer.body);
  if (!body) return {};
  // <ErrorResponse><Error>…, of EC2 <Response><Errors><Error>…
  const Xml& error =
      (*body)["Errors"].children.empty() ? (*body)["Error"] : (*body)["Errors"].children.front();
  return {.code = code_in(error["Code"].text),
          .message = error["Message"].text,
          .request_id = first_of({(*body)["RequestId"].text, (*body)["RequestID"].text})};
}

constexpr std::array<std::string_view, 6> kAccess{"AccessDenied",          "AccessDeniedException",
                                                  "UnauthorizedOperation", "NotAuthorized",
                                                  "UnauthorizedException", "OptInRequired"};

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

ErrorKind kind_of(int status, const std::string& code) {
  switch (fault_of(status, code)) {
    case Fault::kThrottled:
    case Fault::kTransient:
      return ErrorKind::kRetryable;
    case Fault::kClock:
    case Fault::kCredentials:
      return ErrorKind::kDenied;
    case Fault::kFinal:
      break;
  }
  if (holds(code, "NotFound") || holds(code, "NonExistent")) return ErrorKind::kGone;
  const bool denied = std::ranges::find(kAccess, code) != kAccess.end() ||
                      holds(code, "AuthenticationToken") || code == "IncompleteSignature";
  if (denied || status == 401 || status == 403) return ErrorKind::kDenied;
  return status == 404 ? ErrorKind::kGone : ErrorKind::kPermanent;
}

std::string without_secrets(std::string text, const std::vector<Secret>& secrets) {
  for (const Secret& secret : secrets) {
    if (secret.empty()) continue;
    for (size_t at = 0; (at = text.find(secret.reveal(), at)) != std::string::npos;) {
      text.replace(at, secret.reveal().size(), "***");
    }
  }
  return text;
}

Result<Xml> read_response(const std::string& what, const std::string& action,
                          const std::string& body, std::string_view dropped) {
  Result<Xml> root = parse_xml(body, dropped);
  if (!root) return retryable(what + ": " + one_line(root.error().message));
  if (root->name != action + "Response") {
    return retryable(what + ": the answer is no <" + action + "Response>");
  }
  return root;
}

}  // namespace

std::optional<int64_t> whole_number(const std::string& text) {
  int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

Refusal read_refusal(Protocol protocol, const http::Response& answer) {
  Refusal refusal = is_form(protocol) ? from_xml(answer) : from_json(answer);
  // Letters, digits and dashes, as codes are.
  refusal.request_id =
      code_in(first_of({header(answer.headers, "x-amzn-requestid"),
                        header(answer.headers, "x-amz-request-id"), refusal.request_id}));
  return refusal;
}

Error refusal_error(const std::string& what, int status, const Refusal& refusal,
                    const std::vector<Secret>& secrets) {
  Error error;
  error.kind = kind_of(status, refusal.code);
  error.status = status;
  error.reason = refusal.code;
  error.no_right = std::ranges::find(kAccess, refusal.code) != kAccess.end();
  error.message =
      what + ": " + (refusal.code.empty() ? "HTTP status " + std::to_string(status) : refusal.code);
  std::string message = without_secrets(refusal.message, secrets);
  // What follows its first line is what AWS signed.
  if (fault_of(status, refusal.code) == Fault::kClock)
    message.resize(message.find('\n') == std::string::npos ? message.size() : message.find('\n'));
  if (!message.empty()) error.message += ": " + one_line(message);
  if (!refusal.request_id.empty()) {
    error.message += " (request " + refusal.request_id + ")";
  }
  return error;
}

Result<json::value> read_json(const std::string& what, const std::string& body) {
  if (body.empty()) return json::value(json::object());
  boost::system::error_code broken;
  json::value value = json::parse(body, broken);
  if (broken || !value.is_object()) return retryable(what + ": the answer is no JSON object");
  return value;
}

Result<Xml> read_query(const std::string& what, const std::string& action,
                       const std::string& body) {
  const Result<Xml> root = read_response(what, action, body, {});
  if (!root) return root;
  return (*root)[action + "Result"];
}

Result<Xml> read_ec2(const std::string& what, const std::string& action, const std::string& body) {
  return read_response(what, action, body, "networkInterfaceSet");
}

Millis asked_pause(const http::Headers& headers) {
  if (const auto exact = whole_number(header(headers, "x-amz-retry-after"))) {
    return Millis(std::min<int64_t>(*exact, kLongestPause.count()));
  }
  return http::retry_after(headers).value_or(Millis(0));
}

}  // namespace spotkeeper::aws
