// SPDX-License-Identifier: Apache-2.0
// The answers of design rule 2 and of proxies in between, as seen on the wire.
#include <gtest/gtest.h>

#include "kube/api.h"

namespace spotkeeper::kube {
namespace {

struct Row {
  const char* name;
  int status;
  std::string body;
  http::Headers headers;
  Error expected;
};

class ApiError : public testing::TestWithParam<Row> {};

TEST_P(ApiError, SaysWhatToDoNow) {
  const Row& row = GetParam();
  const Error error =
      api_error("evict pods/eviction ns/web",
                http::Response{.status = row.status, .headers = row.headers, .body = row.body});
  EXPECT_EQ(to_string(error.kind), std::string(to_string(row.expected.kind)));
  EXPECT_EQ(error.status, row.status);
  EXPECT_EQ(error.message, "evict pods/eviction ns/web: " + row.expected.message);
  EXPECT_EQ(error.reason, row.expected.reason);
  EXPECT_EQ(error.retry_after_s, row.expected.retry_after_s);
  EXPECT_EQ(error.budget, row.expected.budget);
  EXPECT_EQ(error.no_right, row.expected.no_right);
}

std::string status(const std::string& reason, const std::string& message,
                   const std::string& details = "{}") {
  return R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":")" +
         message + R"(","reason":")" + reason + R"(","details":)" + details + "}";
}

Error expect(ErrorKind kind, const std::string& message, const std::string& reason,
             int retry_after_s = 0, bool budget = false) {
  return Error{.kind = kind,
               .message = message,
               .reason = reason,
               .retry_after_s = retry_after_s,
               .budget = budget};
}

Error no_right(const std::string& message) {
  Error error = expect(ErrorKind::kDenied, message, "Forbidden");
  error.no_right = true;
  return error;
}

constexpr auto kRetry = ErrorKind::kRetryable;
constexpr auto kNever = ErrorKind::kPermanent;
constexpr auto kDenied = ErrorKind::kDenied;
constexpr auto kGone = ErrorKind::kGone;

const Row kRows[] = {
    {"unauthorized",
     401,
     status("Unauthorized", "Unauthorized"),
     {},
     expect(kDenied, "401 Unauthorized: Unauthorized", "Unauthorized")},
    {"forbidden",
     403,
     status("Forbidden", R"(pods \"web\" is forbidden: User \"u\" cannot create)"),
     {},
     expect(kDenied, R"(403 Forbidden: pods "web" is forbidden: User "u" cannot create)",
            "Forbidden")},
    {"namespace_terminating",
     403,
     status("Forbidden", "unable to create new content",
            R"({"causes":[{"reason":"NamespaceTerminating","message":"m","field":"f"}]})"),
     {},
     expect(kDenied, "403 Forbidden: unable to create new content", "NamespaceTerminating")},
    {"not_found",
     404,
     status("NotFound", R"(pods \"web\" not found)"),
     {},
     expect(kGone, R"(404 Not Found: pods "web" not found)", "NotFound")},
    {"expired",
     410,
     status("Expired", "too old resource version: 1 (2)"),
     {},
     expect(kGone, "410 Gone: too old resource version: 1 (2)", "Expired")},
    {"conflict",
     409,
     status("Conflict", "the object has been modified"),
     {},
     expect(kRetry, "409 Conflict: the object has been modified", "Conflict")},
    {"another_uid_on_delete",
     409,
     status("Conflict", "the UID in the precondition (a) does not match the UID in record (b)"),
     {},
     expect(kGone,
            "409 Conflict: the UID in the precondition (a) does not match the UID in record (b)",
            "Conflict")},
    {"another_uid_in_storage",
     409,
     status("Conflict", "Precondition failed: UID in precondition: a, UID in object meta: b"),
     {},
     expect(kGone,
            "409 Conflict: Precondition failed: UID in precondition: a, UID in object meta: b",
            "Conflict")},
    {"another_version",
     409,
     status("Conflict", "Precondition failed: ResourceVersion in precondition: 1"),
     {},
     expect(kRetry, "409 Conflict: Precondition failed: ResourceVersion in precondition: 1",
            "Conflict")},
    {"already_exists",
     409,
     status("AlreadyExists", "it exists"),
     {},
     expect(kNever, "409 Conflict: it exists", "AlreadyExists")},
    {"another_uid_on_patch",
     422,
     status("Invalid", "field is immutable",
            R"({"causes":[{"reason":"FieldValueInvalid","field":"metadata.uid"}]})"),
     {},
     expect(kGone, "422 Invalid: field is immutable", "Invalid")},
    {"invalid",
     422,
     status("Invalid", "bad", R"({"causes":[{"reason":"FieldValueInvalid","field":"spec"}]})"),
     {},
     expect(kNever, "422 Invalid: bad", "Invalid")},
    {"budget",
     429,
     status(
         "TooManyRequests", "Cannot evict pod as it would violate the budget.",
         R"({"causes":[{"reason":"DisruptionBudget","message":"The disruption budget web needs 3"}]})"),
     {{.name = "Retry-After", .value = "10"}},
     expect(kRetry,
            "429 Too Many Requests: Cannot evict pod as it would violate the budget. (The "
            "disruption budget web needs 3)",
            "TooManyRequests", 10, true)},
    {"load",
     429,
     status("TooManyRequests", "too many requests", R"({"retryAfterSeconds":3})"),
     {},
     expect(kRetry, "429 Too Many Requests: too many requests", "TooManyRequests", 3)},
    {"load_without_status",
     429,
     "Too many requests, please try again later.",
     {{.name = "retry-after", .value = "1"}},
     expect(kRetry, "429 Too Many Requests", "", 1)},
    {"two_budgets",
     500,
     status("InternalError",
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does "
            "not support."),
     {},
     expect(kNever,
            "500 Internal Server Error: This pod has more than one PodDisruptionBudget, which the "
            "eviction subresource does not support.",
            "InternalError")},
    {"server_error",
     500,
     status("InternalError", "etcdserver: request timed out"),
     {},
     expect(kRetry, "500 Internal Server Error: etcdserver: request timed out", "InternalError")},
    {"proxy_error",
     503,
     "<html>no healthy upstream</html>",
     {},
     expect(kRetry, "503 Service Unavailable", "")},
    {"bad_request",
     400,
     status("BadRequest", "no"),
     {},
     expect(kNever, "400 Bad Request: no", "BadRequest")},
    {"redirect", 302, "", {}, expect(kNever, "302", "")},
    {"retry_after_as_a_date",
     503,
     "",
     {{.name = "Date", .value = "Wed, 21 Oct 2015 07:27:23 GMT"},
      {.name = "Retry-After", .value = "Wed, 21 Oct 2015 07:28:00 GMT"}},
     expect(kRetry, "503 Service Unavailable", "", 37)},
    {"retry_after_as_a_date_that_is_past",
     503,
     "",
     {{.name = "Date", .value = "Wed, 21 Oct 2015 07:29:00 GMT"},
      {.name = "Retry-After", .value = "Wed, 21 Oct 2015 07:28:00 GMT"}},
     expect(kRetry, "503 Service Unavailable", "")},
    {"retry_after_as_a_date_without_the_servers_clock",
     503,
     "",
     {{.name = "Retry-After", .value = "Wed, 21 Oct 2015 07:28:00 GMT"}},
     expect(kRetry, "503 Service Unavailable", "")},
    {"huge_retry_after",
     503,
     "",
     {{.name = "Retry-After", .value = "99999999"}},
     expect(kRetry, "503 Service Unavailable", "", 60)},
    {"retry_after_beyond_64_bits",
     503,
     "",
     {{.name = "Retry-After", .value = "99999999999999999999999"}},
     expect(kRetry, "503 Service Unavailable", "", 60)},
    {"negative_retry_after",
     503,
     "",
     {{.name = "Retry-After", .value = "-99999999999999999999999"}},
     expect(kRetry, "503 Service Unavailable", "")},
    {"odd_retry_after",
     429,
     status("TooManyRequests", "later", R"({"retryAfterSeconds":4})"),
     {{.name = "Retry-After", .value = "1s"}},
     expect(kRetry, "429 Too Many Requests: later", "TooManyRequests", 4)},
    {"header_before_body",
     429,
     status("TooManyRequests", "later", R"({"retryAfterSeconds":4})"),
     {{.name = "Retry-After", .value = "2"}},
     expect(kRetry, "429 Too Many Requests: later", "TooManyRequests", 2)},
    {"huge_retry_in_the_body",
     429,
     status("TooManyRequests", "later", R"({"retryAfterSeconds":1e30})"),
     {},
     expect(kRetry, "429 Too Many Requests: later", "TooManyRequests")},
    {"budget_without_a_pause",
     429,
     status("TooManyRequests", "Cannot evict pod",
            R"({"causes":[{"reason":"Other"},{"reason":"DisruptionBudget"}]})"),
     {},
     expect(kRetry, "429 Too Many Requests: Cannot evict pod", "TooManyRequests", 0, true)},
    {"budget_with_an_absurd_pause",
     429,
     status("TooManyRequests", "Cannot evict pod", R"({"causes":[{"reason":"DisruptionBudget"}]})"),
     {{.name = "Retry-After", .value = "86400"}},
     expect(kRetry, "429 Too Many Requests: Cannot evict pod", "TooManyRequests", 60, true)},
    {"a_budgets_words_without_its_cause_are_load",
     429,
     status("TooManyRequests", "violates the disruption budget"),
     {},
     expect(kRetry, "429 Too Many Requests: violates the disruption budget", "TooManyRequests")},
    {"a_budgets_cause_in_another_answer",
     403,
     status("Forbidden", "no", R"({"causes":[{"reason":"DisruptionBudget"}]})"),
     {},
     expect(kDenied, "403 Forbidden: no", "Forbidden")},
    {"admission",
     403,
     status("Forbidden", R"(admission webhook \"w\" denied the request: you cannot)"),
     {},
     expect(kDenied, R"(403 Forbidden: admission webhook "w" denied the request: you cannot)",
            "Forbidden")},
    {"authoriser",
     403,
     status("Forbidden",
            R"(pods \"web\" is forbidden: User \"u\" cannot create resource \"pods/eviction\")"
            R"( in API group \"\" in the namespace \"ns\")"),
     {},
     no_right(
         R"(403 Forbidden: pods "web" is forbidden: User "u" cannot create resource "pods/eviction")"
         R"( in API group "" in the namespace "ns")")},
    {"forbidden_by_a_proxy",
     403,
     "<html>User cannot create resource \"pods\"</html>",
     {},
     expect(kDenied, "403 Forbidden", "")},
    {"unauthorized_by_a_proxy", 401, "<html>", {}, expect(kDenied, "401 Unauthorized", "")},
    {"not_found_by_a_proxy", 404, "<html>", {}, expect(kGone, "404 Not Found", "")},
    {"bad_gateway", 502, "<html>", {}, expect(kRetry, "502 Bad Gateway", "")},
    {"gateway_timeout", 504, "", {}, expect(kRetry, "504 Gateway Timeout", "")},
    {"budget_in_conflict",
     504,
     status("Timeout", R"(couldn't update PodDisruptionBudget \"web\" due to conflicts)",
            R"({"retryAfterSeconds":10})"),
     {},
     expect(kRetry,
            R"(504 Gateway Timeout: couldn't update PodDisruptionBudget "web" due to conflicts)",
            "Timeout", 10)},
    {"timeout", 408, "", {}, expect(kRetry, "408", "")},
    {"uid_and_another_cause_on_patch",
     422,
     status(
         "Invalid", "bad",
         R"({"causes":[{"field":"spec"},{"reason":"FieldValueInvalid","field":"metadata.uid"}]})"),
     {},
     expect(kGone, "422 Invalid: bad", "Invalid")},
    {"several_lines",
     400,
     status("BadRequest", R"(a\nb\u0007c)"),
     {},
     expect(kNever, "400 Bad Request: a b c", "BadRequest")},
    {"wrong_types",
     429,
     R"({"kind":"Status","message":5,"reason":[],"details":{"causes":[1,{"reason":{}}],
         "retryAfterSeconds":"x"}})",
     {},
     expect(kRetry, "429 Too Many Requests", "")},
};

INSTANTIATE_TEST_SUITE_P(Rows, ApiError, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(ApiErrorMessage, IsShort) {
  std::string longer;
  for (int i = 0; i < 400; ++i) longer += "ä";
  const Error error =
      api_error("get x", {.status = 400, .headers = {}, .body = status("R", longer)});
  EXPECT_LT(error.message.size(), 600U);
  EXPECT_TRUE(error.message.ends_with("ä…"));
}

}  // namespace
}  // namespace spotkeeper::kube
