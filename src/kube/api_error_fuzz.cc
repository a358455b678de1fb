// SPDX-License-Identifier: Apache-2.0
// Answers that are no success, of an API server or of whatever stands before it. The first line is
// "STATUS RETRY-AFTER", the rest is the body. It is always the same moment.
#include <charconv>
#include <string>

#include "base/fuzz.h"
#include "kube/api.h"

namespace spotkeeper {
namespace {

constexpr size_t kLongestMessage = 1200;

http::Response answer_of(std::string_view input) {
  http::Response answer;
  answer.headers.push_back({.name = "Date", .value = "Wed, 21 Oct 2026 07:27:00 GMT"});
  const size_t end = std::min(input.find('\n'), input.size());
  const std::string_view head = input.substr(0, end);
  answer.body = input.substr(std::min(end + 1, input.size()));
  const auto read = std::from_chars(head.data(), head.data() + head.size(), answer.status);
  if (answer.status < 300 || answer.status > 999) answer.status = 500;  // no success comes here
  if (read.ptr != head.data() + head.size()) {
    answer.headers.push_back(
        {.name = "Retry-After", .value = {read.ptr + 1, head.data() + head.size()}});
  }
  return answer;
}

}  // namespace

void fuzz(std::string_view input) {
  const http::Response answer = answer_of(input);
  const std::string head = "evict pods/eviction ns/web: " + std::to_string(answer.status);
  const Error error = kube::api_error("evict pods/eviction ns/web", answer);

  must(error.status == answer.status, "the status is kept");
  must(error.message.starts_with(head), "the message names the call and the status");
  must(error.message.size() <= kLongestMessage, "the message is short");
  must(is_one_line(error.message) && is_utf8(error.message), "the message is one line of text");
  must(error.retry_after_s >= 0 && error.retry_after_s <= 60, "a pause has its limits");

  const ErrorKind kind = error.kind;
  must(!error.budget || (answer.status == 429 && kind == ErrorKind::kRetryable),
       "only a 429 speaks of budgets");
  must(!error.no_right || (answer.status == 403 && kind == ErrorKind::kDenied),
       "only a 403 speaks of rights");
  const bool denied = answer.status == 401 || answer.status == 403;
  must(denied == (kind == ErrorKind::kDenied), "401 and 403 are denials, and nothing else is");
  const bool gone = answer.status == 404 || answer.status == 410;
  must(!gone || kind == ErrorKind::kGone, "404 and 410: it is gone");
  must(kind != ErrorKind::kGone || gone || answer.status == 409 || answer.status == 422,
       "only the answers about another UID say so, too");
  must(kind != ErrorKind::kRetryable || answer.status >= 408, "a plain refusal is not repeated");
}

}  // namespace spotkeeper
