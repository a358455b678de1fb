// SPDX-License-Identifier: Apache-2.0
#include "aws/sqs.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "aws/answer.h"
#include "aws/endpoint.h"
#include "base/json.h"

namespace spotkeeper::aws {
namespace {

namespace json = boost::json;
using Steady = std::chrono::steady_clock;

constexpr size_t kMostInBatch = 10;
constexpr size_t kLargestAnswer = size_t{6} * 1024 * 1024;
// Of a long poll: its way there and back, and apart from it the time in which it may begin again.
constexpr Millis kWay = Seconds(10);
constexpr Millis kRetries = Seconds(5);

Call sqs_call(const char* action, const std::string& queue_url) {
  Call call{.service = &kSqs, .action = action, .object = queue_url};
  call.body["QueueUrl"] = queue_url;
  return call;
}

Error with_kind(Error error) {
  // Its name in the query protocol (NonExistentQueue) is known to all.
  if (error.reason == "QueueDoesNotExist") error.kind = ErrorKind::kGone;
  if (error.reason == "OverLimit") error.kind = ErrorKind::kRetryable;
  return error;
}

// Not SQS's refusal: its answer was larger than we take, or there is no way to it at all.
bool is_ours(const Error& error) {
  return error.kind == ErrorKind::kPermanent && error.status == 0;
}

json::array entries_of(const std::vector<std::string>& receipts, size_t begin,
                       const std::optional<Seconds>& visibility) {
  json::array entries;
  for (size_t i = begin; i < std::min(begin + kMostInBatch, receipts.size()); ++i) {
    json::object entry{{"Id", std::to_string(i - begin)}, {"ReceiptHandle", receipts[i]}};
    if (visibility) entry["VisibilityTimeout"] = visibility->count();
    entries.emplace_back(std::move(entry));
  }
  return entries;
}

const json::value* entry_of(const json::value& answer, const char* key, const std::string& id) {
  const json::array* list = find_array(answer, {key});
  if (list == nullptr) return nullptr;
  for (const json::value& each : *list) {
    if (text_at(each, {"Id"}) == id) return &each;
  }
  return nullptr;
}

void add_failures(const json::value& answer, const std::vector<std::string>& receipts, size_t begin,
                  std::vector<SqsFailure>& all) {
  for (size_t i = begin; i < std::min(begin + kMostInBatch, receipts.size()); ++i) {
    const std::string id = std::to_string(i - begin);
    if (const json::value* failed = entry_of(answer, "Failed", id)) {
      all.push_back({.receipt = receipts[i],
                     .code = text_at(*failed, {"Code"}),
                     .message = text_at(*failed, {"Message"}),
                     .for_good = flag_at(*failed, {"SenderFault"})});
    } else if (entry_of(answer, "Successful", id) == nullptr) {
      all.push_back({.receipt = receipts[i], .code = "NotAnswered", .message = ""});
    }
  }
}

Task<Result<std::vector<SqsFailure>>> in_batches(Client& client, Call call,
                                                 std::vector<std::string> receipts,
                                                 std::optional<Seconds> visibility,
                                                 Millis at_most) {
  const auto until = Steady::now() + at_most;
  std::vector<SqsFailure> failures;
  for (size_t begin = 0; begin < receipts.size(); begin += kMostInBatch) {
    Call part = call;
    part.body["Entries"] = entries_of(receipts, begin, visibility);
    part.at_most = std::max(std::chrono::ceil<Millis>(until - Steady::now()), Millis(0));
    const Result<json::value> answer = co_await client.json(std::move(part));
    if (!answer) co_return std::unexpected(with_kind(answer.error()));
    add_failures(*answer, receipts, begin, failures);
  }
  co_return failures;
}

// Of "https://host:port/path".
std::string_view host_of(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  return url.substr(0, url.find_first_of(":/?#"));
}

bool is_suffix_of(const std::string& region, std::string_view suffix) {
  const Partition& partition = partition_of(region);
  return suffix == partition.suffix || suffix == partition.dual_stack_suffix ||
         suffix == std::string("vpce.") + partition.suffix;
}

}  // namespace

Result<std::vector<SqsMessage>> decode_messages(const json::value& answer) {
  std::vector<SqsMessage> messages;
  const json::array* list = find_array(answer, {"Messages"});
  if (list == nullptr) return messages;  // none
  for (const json::value& each : *list) {
    SqsMessage message{.id = text_at(each, {"MessageId"}),
                       .receipt = text_at(each, {"ReceiptHandle"}),
                       .body = text_at(each, {"Body"})};
    if (message.receipt.empty()) return permanent("message without ReceiptHandle");
    const int64_t sent = whole_number(text_at(each, {"Attributes", "SentTimestamp"})).value_or(0);
    if (Time(Millis(sent)) < kNever) message.sent = Time(Millis(sent));
    const int64_t receives =
        whole_number(text_at(each, {"Attributes", "ApproximateReceiveCount"})).value_or(0);
    message.receives = static_cast<int>(std::min<int64_t>(receives, 1'000'000));
    messages.push_back(std::move(message));
  }
  return messages;
}

Task<Result<std::vector<SqsMessage>>> receive_messages(Client& client, SqsReceive what) {
  Call call = sqs_call("ReceiveMessage", what.queue_url);
  call.body["MaxNumberOfMessages"] = what.at_most;
  call.body["WaitTimeSeconds"] = what.wait.count();
  call.body["VisibilityTimeout"] = what.visibility.count();
  // The older name of MessageSystemAttributeNames: AWS keeps both, emulators of 2023 know this one.
  call.body["AttributeNames"] = json::array{"SentTimestamp", "ApproximateReceiveCount"};
  call.attempt_time = what.wait + kWay;
  call.at_most = call.attempt_time + kRetries;
  call.max_body = kLargestAnswer;
  Call single = call;
  single.body["MaxNumberOfMessages"] = 1;
  single.body["WaitTimeSeconds"] = 0;
  Result<json::value> answer = co_await client.json(std::move(call));
  if (!answer && what.at_most > 1 && is_ours(answer.error())) {
    answer = co_await client.json(std::move(single));
  }
  if (!answer) co_return std::unexpected(with_kind(answer.error()));
  Result<std::vector<SqsMessage>> messages = decode_messages(*answer);
  if (!messages) {
    co_return std::unexpected(messages.error().within("sqs ReceiveMessage " + what.queue_url));
  }
  co_return messages;
}

Task<Result<std::vector<SqsFailure>>> delete_messages(Client& client, std::string queue_url,
                                                      std::vector<std::string> receipts,
                                                      Millis at_most) {
  Call call = sqs_call("DeleteMessageBatch", queue_url);
  co_return co_await in_batches(client, std::move(call), std::move(receipts), std::nullopt,
                                at_most);
}

Task<Result<std::vector<SqsFailure>>> change_visibility(Client& client, std::string queue_url,
                                                        std::vector<std::string> receipts,
                                                        Seconds visibility, Millis at_most) {
  Call call = sqs_call("ChangeMessageVisibilityBatch", queue_url);
  co_return co_await in_batches(client, std::move(call), std::move(receipts), visibility, at_most);
}

std::string region_of_queue(const std::string& url) {
  const std::string_view host = host_of(url);
  if (host == "queue.amazonaws.com") return "us-east-1";
  std::vector<std::string_view> labels;
  std::vector<size_t> begins;
  for (size_t begin = 0; begin <= host.size();) {
    const size_t end = std::min(host.find('.', begin), host.size());
    labels.push_back(host.substr(begin, end - begin));
    begins.push_back(begin);
    begin = end + 1;
  }
  for (size_t i = 0; i + 2 < labels.size(); ++i) {
    const bool usual = labels[i] == "sqs" || labels[i] == "sqs-fips";  // sqs.REGION.suffix
    const bool legacy = i == 0 && labels[1] == "queue";                // REGION.queue.suffix
    if (!usual && !legacy) continue;
    const std::string region(labels[usual ? i + 1 : i]);
    if (is_region(region) && is_suffix_of(region, host.substr(begins[i + 2]))) return region;
  }
  return "";
}

}  // namespace spotkeeper::aws
