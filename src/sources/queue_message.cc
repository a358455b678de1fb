// SPDX-License-Identifier: Apache-2.0
#include "sources/queue_message.h"

#include <boost/json/parse.hpp>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "sources/event_id.h"
#include "sources/queue_envelope.h"

namespace spotkeeper::sources {
namespace {

namespace json = boost::json;

constexpr size_t kLongestWord = 100;
constexpr size_t kLongestId = 100;  // an id of EventBridge or Auto Scaling has 36
constexpr std::size_t kDeepest = 32;

Result<json::value> parse_object(const std::string& text, const char* what) {
  if (text.size() > kLongestQueueBody) {
    return permanent(std::string(what) + " is larger than " + std::to_string(kLongestQueueBody) +
                     " bytes");
  }
  const json::parse_options options{.max_depth = kDeepest};
  boost::system::error_code broken;
  json::value value = json::parse(text, broken, {}, options);
  if (broken || !value.is_object()) return permanent(std::string(what) + " is no JSON object");
  return value;
}

std::string id_of(std::string id, const std::string& text) {
  const bool usual = !id.empty() && id.size() <= kLongestId;
  return usual ? std::move(id) : event_id("", text).value;
}

Time time_of(const std::string& text, Time received) {
  Time at = received;
  parse_time(text, at);
  return at;
}

Result<QueueMessage> read_event(const json::value& root, const std::string& text, Time received) {
  const QueueEnvelope envelope{.id = id_of(text_at(root, {"id"}), text),
                               .type = text_at(root, {"detail-type"}),
                               .source = text_at(root, {"source"}),
                               .account = queue_word(text_at(root, {"account"})),
                               .region = queue_word(text_at(root, {"region"})),
                               .at = time_of(text_at(root, {"time"}), received),
                               .detail = find(root, {"detail"})};
  const std::string what = queue_word(envelope.source) + " \"" + queue_word(envelope.type) + "\"";
  if (!envelope.source.starts_with("aws.")) {
    return permanent("an event from " + what + ", which is not of AWS");
  }
  if (envelope.detail == nullptr || !envelope.detail->is_object()) {
    return permanent(what + " without its detail");
  }
  if (envelope.source == "aws.ec2") return read_ec2_event(envelope);
  if (envelope.source == "aws.autoscaling") return read_auto_scaling_event(envelope);
  if (envelope.source == "aws.health") return read_health_event(envelope);
  return ignored("an event that is for others: " + what);
}

// Auto Scaling's notification of a hook, which has no envelope.
Result<QueueMessage> read_notification(const json::value& root, const std::string& text,
                                       Time received) {
  const QueueEnvelope envelope{.id = id_of(text_at(root, {"RequestId"}), text),
                               .type = "",
                               .source = "aws.autoscaling",
                               .account = queue_word(text_at(root, {"AccountId"})),
                               .region = "",
                               .at = time_of(text_at(root, {"Time"}), received),
                               .detail = &root};
  return read_auto_scaling_event(envelope);
}

// nullopt: it is none of them.
std::optional<Result<QueueMessage>> read_unwrapped(const json::value& root, const std::string& text,
                                                   Time received) {
  if (!text_at(root, {"detail-type"}).empty()) return read_event(root, text, received);
  const bool notification =
      !text_at(root, {"LifecycleTransition"}).empty() || !text_at(root, {"Event"}).empty();
  if (notification) return read_notification(root, text, received);
  return std::nullopt;
}

Result<QueueMessage> read_sns(const json::value& root, Time received) {
  const std::string type = text_at(root, {"Type"});
  if (type == "UnsubscribeConfirmation") return ignored("SNS: the queue's subscription has ended");
  if (type == "SubscriptionConfirmation") {
    return permanent("SNS wants the queue's subscription confirmed: nothing comes until it is");
  }
  const std::string text = text_at(root, {"Message"});
  const Result<json::value> inner = parse_object(text, "what SNS brings");
  if (!inner) return std::unexpected(inner.error());
  const auto message = read_unwrapped(*inner, text, received);
  if (message) return *message;
  return permanent("what SNS brings is no event that is understood");
}

}  // namespace

QueueMessage ignored(std::string why) {
  return {.events = {}, .ignored = std::move(why)};
}

std::string queue_word(const std::string& text) {
  return one_line(cut(text, kLongestWord));
}

Result<QueueMessage> read_message(const std::string& body, Time received) {
  const Result<json::value> root = parse_object(body, "the body");
  if (!root) return std::unexpected(root.error());
  const auto message = read_unwrapped(*root, body, received);
  if (message) return *message;
  if (!text_at(*root, {"Message"}).empty()) return read_sns(*root, received);
  return permanent("no event that is understood: neither detail-type nor LifecycleTransition");
}

}  // namespace spotkeeper::sources
