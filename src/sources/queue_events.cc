// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <set>
#include <utility>

#include "aws/ec2.h"
#include "aws/scheduled_events.h"
#include "base/json.h"
#include "sources/queue_envelope.h"

namespace spotkeeper::sources {
namespace {

namespace json = boost::json;
using core::NoticeKind;

constexpr const char* kTest = "autoscaling:TEST_NOTIFICATION";
constexpr const char* kTerminating = "autoscaling:EC2_INSTANCE_TERMINATING";
constexpr const char* kLaunching = "autoscaling:EC2_INSTANCE_LAUNCHING";
constexpr size_t kLongestName = 1'024;  // of a group or a hook, which AWS lets have 255
constexpr std::array<std::string_view, 4> kEndingStates{"stopping", "stopped", "shutting-down",
                                                        "terminated"};

// NTH's: a prefix, and the id's bytes in hexadecimal.
core::NoticeId notice_id(const std::string& prefix, const std::string& id) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string made = prefix;
  for (const char c : id) {
    made += kDigits[static_cast<unsigned char>(c) >> 4U];
    made += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  return core::NoticeId(made);
}

QueueEvent event_of(const QueueEnvelope& envelope, NoticeKind kind, const std::string& prefix,
                    const std::string& instance) {
  QueueEvent event;
  event.id = notice_id(prefix, envelope.id);
  event.kind = kind;
  event.instance = core::InstanceId(instance);
  event.at = envelope.at;
  event.account = envelope.account;
  event.region = envelope.region;
  return event;
}

QueueMessage only(QueueEvent event) {
  QueueMessage message;
  message.events.push_back(std::move(event));
  return message;
}

// Whether it can be a name of AWS's, which is sent back as it is, and may be shown.
bool is_name(const std::string& text) {
  return text.size() <= kLongestName &&
         std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

std::unexpected<Error> no_instance(const std::string& what) {
  return permanent(what + " without the id of an instance");
}

Result<QueueMessage> read_state_change(const QueueEnvelope& envelope, const std::string& instance) {
  const std::string state = queue_word(lower(text_at(*envelope.detail, {"state"})));
  if (state.empty()) return permanent("a state change that names no state");
  if (std::ranges::find(kEndingStates, state) == kEndingStates.end()) {
    return ignored("EC2: the instance is now " + state);
  }
  QueueEvent event =
      event_of(envelope, NoticeKind::kStateChange, "ec2-state-change-event-", instance);
  event.detail = state;
  event.description = "EC2 state change received. Instance " + instance + " went into " + state +
                      " at " + format_time_s(event.at);
  return only(std::move(event));
}

Result<HookAction> read_hook(const json::value& detail, bool launching) {
  HookAction hook{.group = text_at(detail, {"AutoScalingGroupName"}),
                  .hook = text_at(detail, {"LifecycleHookName"}),
                  .token = text_at(detail, {"LifecycleActionToken"}),
                  .launching = launching,
                  .destination = queue_word(text_at(detail, {"Destination"}))};
  if (hook.group.empty() || !is_name(hook.group)) {
    return permanent("a lifecycle action without the name of its group");
  }
  if (hook.hook.empty() || !is_name(hook.hook) || !is_name(hook.token)) {
    return permanent("a lifecycle action without the name of its hook");
  }
  return hook;
}

// The schema's example has the wrong weekday, so that is not read: "Sat, 05 Jun 2016 15:10:09 GMT".
std::optional<Time> health_time(const std::string& text) {
  Time time{};
  const size_t comma = text.find(", ");
  const std::string date = comma == std::string::npos ? text : text.substr(comma + 2);
  if (aws::parse_event_time(date, time) || parse_time(text, time)) return time;
  return std::nullopt;
}

// Instances that it names and that it is not over for, each once.
Result<std::vector<std::string>> affected_instances(const json::value& detail) {
  std::vector<std::string> instances;
  const json::array* entities = find_array(detail, {"affectedEntities"});
  if (entities == nullptr) return instances;
  if (entities->size() > kMostEntities) {
    return permanent("an event of AWS Health with more than " + std::to_string(kMostEntities) +
                     " affected entities");
  }
  std::set<std::string> seen;
  for (const json::value& each : *entities) {
    std::string entity = text_at(each, {"entityValue"});
    if (!aws::is_instance_id(entity) || text_at(each, {"status"}) == "RESOLVED") continue;
    if (seen.insert(entity).second) instances.push_back(std::move(entity));
  }
  return instances;
}

}  // namespace

Result<QueueMessage> read_ec2_event(const QueueEnvelope& envelope) {
  const bool spot = envelope.type == "EC2 Spot Instance Interruption Warning";
  const bool rebalance = envelope.type == "EC2 Instance Rebalance Recommendation";
  const bool state = envelope.type == "EC2 Instance State-change Notification";
  const bool reservation =
      envelope.type == "EC2 Capacity Reservation Instance Interruption Warning";
  if (!spot && !rebalance && !state && !reservation) {
    return ignored("an event of EC2 that is for others: \"" + queue_word(envelope.type) + "\"");
  }
  std::string instance = text_at(*envelope.detail, {"instance-id"});
  // Auto Scaling's spelling: of those who make such events themselves.
  if (instance.empty()) instance = text_at(*envelope.detail, {"EC2InstanceId"});
  if (!aws::is_instance_id(instance)) return no_instance("\"" + envelope.type + "\"");
  if (state) return read_state_change(envelope, instance);
  const std::string at = format_time_s(envelope.at);
  if (rebalance) {
    QueueEvent event = event_of(envelope, NoticeKind::kRebalanceRecommendation,
                                "rebalance-recommendation-event-", instance);
    event.description =
        "Rebalance recommendation received. Instance " + instance + " was named at " + at;
    return only(std::move(event));
  }
  QueueEvent event = event_of(
      envelope, spot ? NoticeKind::kSpotInterruption : NoticeKind::kCapacityReservationInterruption,
      spot ? "spot-itn-event-" : "capacity-reservation-event-", instance);
  event.detail = queue_word(text_at(*envelope.detail, {"instance-action"}));
  event.description = std::string(spot ? "Spot ITN" : "Capacity reservation interruption") +
                      " received. Instance " + instance + " was given notice at " + at;
  return only(std::move(event));
}

Result<QueueMessage> read_auto_scaling_event(const QueueEnvelope& envelope) {
  const json::value& detail = *envelope.detail;
  const std::string transition = text_at(detail, {"LifecycleTransition"});
  const std::string what = text_at(detail, {"Event"});
  if (transition == kTest || what == kTest) return ignored("a test notification of Auto Scaling");
  const bool launching = transition == kLaunching;
  if (!launching && transition != kTerminating) {
    // From EventBridge it is Auto Scaling's in any case; else its words must say so.
    const std::string says = transition.empty() ? what : transition;
    if (envelope.type.empty() && !says.starts_with("autoscaling:")) {
      return permanent("a notification without a lifecycle transition of Auto Scaling");
    }
    return ignored("an event of Auto Scaling that is for others: \"" +
                   queue_word(says.empty() ? envelope.type : says) + "\"");
  }
  std::string instance = text_at(detail, {"EC2InstanceId"});
  if (instance.empty()) instance = text_at(detail, {"instance-id"});
  if (!aws::is_instance_id(instance)) return no_instance("a lifecycle action");
  Result<HookAction> hook = read_hook(detail, launching);
  if (!hook) return std::unexpected(hook.error());
  QueueEvent event =
      event_of(envelope, launching ? NoticeKind::kAsgLaunch : NoticeKind::kAsgTermination,
               "asg-lifecycle-term-", instance);
  event.description = launching ? "ASG launch lifecycle action received. Instance " + instance +
                                      " was started at " + format_time_s(event.at)
                                : "ASG termination lifecycle action received. Instance " +
                                      instance + " is terminated since " + format_time_s(event.at);
  event.group = hook->group;
  event.hook = std::move(*hook);
  return only(std::move(event));
}

Result<QueueMessage> read_health_event(const QueueEnvelope& envelope) {
  const json::value& detail = *envelope.detail;
  const std::string service = text_at(detail, {"service"});
  const std::string category = text_at(detail, {"eventTypeCategory"});
  if (envelope.type != "AWS Health Event" || service != "EC2" || category != "scheduledChange") {
    return ignored("an event of AWS Health that is no scheduled change of EC2: \"" +
                   queue_word(envelope.type) + "\", " + queue_word(service) + ", " +
                   queue_word(category));
  }
  if (text_at(detail, {"statusCode"}) == "closed") return ignored("AWS Health: the change is over");
  const Result<std::vector<std::string>> instances = affected_instances(detail);
  if (!instances) return std::unexpected(instances.error());
  if (instances->empty()) return ignored("AWS Health: no instance is among the affected entities");
  const std::string pages = text_at(detail, {"totalPages"});
  const bool several = instances->size() > 1 || (!pages.empty() && pages != "1");
  const std::optional<Time> starts = health_time(text_at(detail, {"startTime"}));
  QueueMessage message;
  for (const std::string& instance : *instances) {
    QueueEvent event = event_of(envelope, NoticeKind::kScheduledEvent,
                                "aws-health-scheduled-change-event-", instance);
    if (several) event.id.value += "-" + instance;
    event.detail = queue_word(text_at(detail, {"eventTypeCode"}));
    event.starts = starts;
    event.description = "AWS Health scheduled change received. Instance " + instance +
                        " is affected" + (starts ? " from " + format_time_s(*starts) + " on" : "");
    message.events.push_back(std::move(event));
  }
  return message;
}

}  // namespace spotkeeper::sources
