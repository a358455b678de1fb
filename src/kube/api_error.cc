// SPDX-License-Identifier: Apache-2.0
// From an answer that is not a success to an Error; see kube/api.h. Reads the meta/v1 Status that
// the API server sends with it, and copes with answers of proxies that are no Status.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <chrono>
#include <optional>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "kube/api.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;

constexpr int kLongestPauseS = 60;

const char* phrase(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 422:
      return "Invalid";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "";
  }
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// The first of details.causes whose `key` is `value`, or nullptr.
const json::value* find_cause(const json::value& status, std::string_view key,
                              std::string_view value) {
  const json::array* causes = find_array(status, {"details", "causes"});
  if (causes == nullptr) return nullptr;
  const auto* cause = std::ranges::find_if(
      *causes, [&](const json::value& each) { return text_at(each, {key}) == value; });
  return cause == causes->end() ? nullptr : &*cause;
}

int pause_s(const json::value& status, const http::Headers& headers) {
  const std::optional<Millis> asked = http::retry_after(headers);
  const int64_t seconds = asked ? std::chrono::floor<Seconds>(*asked).count()
                                : number_at(status, {"details", "retryAfterSeconds"});
  return static_cast<int>(std::clamp<int64_t>(seconds, 0, kLongestPauseS));
}

// Deleting and evicting answer 409 where the precondition's UID is not the object's; patching
// answers 422, because metadata.uid cannot be changed.
bool other_uid(int status, const json::value& body, const std::string& message) {
  if (status == 409) {
    return contains(message, "UID in the precondition") || contains(message, "UID in precondition");
  }
  return status == 422 && find_cause(body, "field", "metadata.uid") != nullptr;
}

ErrorKind kind_of(int status, const std::string& reason, const std::string& message) {
  if (status == 401 || status == 403) return ErrorKind::kDenied;
  if (status == 404 || status == 410) return ErrorKind::kGone;
  if (status == 409) {
    return reason == "AlreadyExists" ? ErrorKind::kPermanent : ErrorKind::kRetryable;
  }
  if (status == 408 || status == 429) return ErrorKind::kRetryable;
  if (status >= 500) {
    return contains(message, "more than one PodDisruptionBudget") ? ErrorKind::kPermanent
                                                                  : ErrorKind::kRetryable;
  }
  return ErrorKind::kPermanent;
}

}  // namespace

Error api_error(const std::string& what, const http::Response& answer) {
  boost::system::error_code broken;
  const json::value body = json::parse(answer.body, broken);  // null when broken
  const bool is_status = text_at(body, {"kind"}) == "Status";
  const std::string message = is_status ? text_at(body, {"message"}) : std::string();

  Error error;
  error.status = answer.status;
  error.reason = is_status ? text_at(body, {"reason"}) : std::string();
  error.kind = other_uid(answer.status, body, message)
                   ? ErrorKind::kGone
                   : kind_of(answer.status, error.reason, message);
  error.retry_after_s = pause_s(body, answer.headers);
  const json::value* budget = find_cause(body, "reason", "DisruptionBudget");
  error.budget = answer.status == 429 && budget != nullptr;
  if (answer.status == 403 && find_cause(body, "reason", "NamespaceTerminating") != nullptr) {
    error.reason = "NamespaceTerminating";
  }
  // The authoriser's own words; an admission webhook's refusal is about this object alone.
  error.no_right =
      answer.status == 403 && contains(message, " cannot ") && contains(message, " resource \"");
  error.message = what + ": " + std::to_string(answer.status);
  if (const std::string words = phrase(answer.status); !words.empty()) error.message += " " + words;
  if (!message.empty()) error.message += ": " + one_line(message);
  // the message does not name the budget, its cause does
  if (const std::string why = error.budget ? text_at(*budget, {"message"}) : ""; !why.empty()) {
    error.message += " (" + one_line(why) + ")";
  }
  return error;
}

}  // namespace spotkeeper::kube
