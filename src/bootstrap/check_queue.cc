// SPDX-License-Identifier: Apache-2.0
// The queue, its URL, and the topic before it.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <string_view>

#include "base/json.h"
#include "bootstrap/allows.h"
#include "bootstrap/check.h"

namespace spotkeeper::bootstrap {
namespace {

constexpr const char* kCreate = "'spotkeeper bootstrap … --create', or its template, makes it";

std::string attribute(const std::map<std::string, std::string>& all, const char* name) {
  const auto found = all.find(name);
  return found == all.end() ? std::string() : found->second;
}

int number(const std::string& text) {
  int value = 0;
  const auto done = std::from_chars(text.data(), text.data() + text.size(), value);
  return done.ec == std::errc() ? value : 0;
}

// The hook that waits longest: of those there are, or of those that are wished for.
int longest_hook_s(const Plan& plan, const Seen& seen) {
  int longest = plan.hooks.empty() ? 0 : plan.wish.hook_timeout_s;
  for (const SeenGroup& group : seen.groups) {
    for (const SeenHook& hook : group.hooks) longest = std::max(longest, hook.timeout_s);
  }
  return longest;
}

// "eu-west-1" of sqs.eu-west-1.amazonaws.com, also behind a VPC endpoint's name; empty: no idea.
std::string region_of_host(std::string_view host) {
  for (const std::string_view before : {std::string_view("sqs."), std::string_view("sqs-fips.")}) {
    const size_t at = host.find(before);
    if (at == std::string_view::npos || (at > 0 && host[at - 1] != '.')) continue;
    const std::string_view rest = host.substr(at + before.size());
    const size_t dot = rest.find('.');
    if (dot == std::string_view::npos) return {};
    return std::string(rest.substr(0, dot));
  }
  const size_t old = host.find(".queue.amazonaws.com");
  return old == std::string_view::npos ? std::string() : std::string(host.substr(0, old));
}

void check_retention(const Plan& plan, const Seen& seen, const std::string& subject,
                     Findings& out) {
  const int longest = longest_hook_s(plan, seen);
  const int kept = number(attribute(seen.queue->attributes, "MessageRetentionPeriod"));
  if (kept <= longest) {
    out.push_back(
        {Level::kWrong, subject,
         fmt::format("keeps messages for {} s, and a hook waits {} s: the message is lost "
                     "before the instance is",
                     kept, longest),
         fmt::format("set MessageRetentionPeriod to {}", kRetention_s)});
  } else {
    out.push_back({Level::kOk, subject, fmt::format("keeps messages for {} s", kept), ""});
  }
}

void check_encryption(const std::string& key, const std::string& subject, const char* alias,
                      const char* remedy, Findings& out) {
  if (key.find(alias) != std::string::npos) {
    out.push_back(
        {Level::kWrong, subject,
         fmt::format("is encrypted with the AWS managed key {}, which EventBridge and SNS "
                     "may not use: nothing arrives",
                     alias),
         remedy});
  } else if (!key.empty()) {
    out.push_back({Level::kNote, subject, "is encrypted with a KMS key of yours",
                   "see that the key's policy gives the sender kms:GenerateDataKey and "
                   "kms:Decrypt, and the queue's process kms:Decrypt"});
  }
}

void check_redrive(const Plan& plan, const Seen& seen, const std::string& subject, Findings& out) {
  boost::system::error_code broken;
  const std::string said = attribute(seen.queue->attributes, "RedrivePolicy");
  const boost::json::value redrive = boost::json::parse(said.empty() ? "{}" : said, broken);
  // A number, or a number in a text: SQS takes both and gives back what it got.
  int most = static_cast<int>(number_at(redrive, {"maxReceiveCount"}));
  if (most == 0) most = number(text_at(redrive, {"maxReceiveCount"}));
  const int longest = longest_hook_s(plan, seen);
  if (broken || most == 0) {
    out.push_back({Level::kNote, subject,
                   "has no dead-letter queue: what nobody can read comes back until it is too old",
                   fmt::format("set a RedrivePolicy with maxReceiveCount {}", kMaxReceives)});
  } else if (most * kVisibility_s < longest) {
    out.push_back(
        {Level::kWrong, subject,
         fmt::format("gives messages to the dead-letter queue after {} looks, about {} s, "
                     "and a hook waits {} s",
                     most, most * kVisibility_s, longest),
         fmt::format("set maxReceiveCount to {}", kMaxReceives)});
  } else {
    out.push_back(
        {Level::kOk, subject, fmt::format("has a dead-letter queue, after {} looks", most), ""});
  }
}

// Everybody who sends to it by what was seen; or who would.
std::vector<std::string> sources(const Plan& plan, const Seen& seen, const std::string& target) {
  std::vector<std::string> all;
  for (const SeenRule& rule : seen.rules) {
    if (std::ranges::find(rule.targets, target) != rule.targets.end()) all.push_back(rule.arn);
  }
  if (all.empty()) all.push_back(plan.place.arn("events", "rule/" + plan.wish.name + "-spot"));
  return all;
}

void check_policy(const std::string& policy, const std::string& subject, Send send,
                  const std::vector<std::string>& from, Findings& out) {
  for (const std::string& source : from) {
    send.source = source;
    const std::string reason = why_not(policy, send);
    if (reason.empty()) continue;
    out.push_back({Level::kWrong, subject, "its policy lets nothing in: " + reason,
                   "allow " + send.action + " to " + send.service + " with aws:SourceArn " +
                       source + "; 'spotkeeper bootstrap … --create' adds that statement"});
    return;
  }
  out.push_back({Level::kOk, subject, "its policy lets " + send.service + " send", ""});
}

}  // namespace

void check_queue_url(const Plan& plan, const Seen& seen, Findings& out) {
  const std::string& url = seen.queue_url;
  const std::string advice =
      "give it " + (seen.queue
                        ? seen.queue->url
                        : fmt::format("https://sqs.{}.amazonaws.com/{}/{}", plan.place.region,
                                      plan.place.account, plan.wish.queue));
  Finding finding{Level::kWrong, "QUEUE_URL", "", advice};
  const size_t scheme = url.find("://");
  const size_t host = scheme == std::string::npos ? 0 : scheme + 3;
  const size_t path = url.find('/', host);
  const std::string region = region_of_host(std::string_view(url).substr(host, path - host));
  if (url.starts_with("arn:")) {
    finding.text = "is the queue's ARN: expected its URL";
  } else if (scheme == std::string::npos && path == std::string::npos) {
    finding.text = "is the queue's name: expected its URL";
  } else if (scheme == std::string::npos || path == std::string::npos) {
    finding.text = "is no URL of a queue";
  } else if (!region.empty() && region != plan.place.region) {
    finding.text = fmt::format(
        "is in {}, and the instances are in {}: EventBridge tells of an instance in its own region "
        "only, so that each region has a queue, and a process, of its own",
        region, plan.place.region);
  } else if (!url.ends_with("/" + plan.place.account + "/" + plan.wish.queue)) {
    finding.text = fmt::format("is not the URL of queue {} of account {}", plan.wish.queue,
                               plan.place.account);
  } else {
    finding = {Level::kOk, "QUEUE_URL", "is the URL of queue " + plan.wish.queue, ""};
  }
  out.push_back(std::move(finding));
}

void check_queue(const Plan& plan, const Seen& seen, Findings& out) {
  const std::string subject = "queue " + plan.queue->name;
  if (!seen.queue) {
    out.push_back(
        {Level::kWrong, subject,
         fmt::format("does not exist in {}, account {}", plan.place.region, plan.place.account),
         kCreate});
    return;
  }
  check_retention(plan, seen, subject, out);
  check_encryption(attribute(seen.queue->attributes, "KmsMasterKeyId"), subject, "alias/aws/sqs",
                   "take SSE-SQS instead (SqsManagedSseEnabled=true, KmsMasterKeyId empty)", out);
  check_redrive(plan, seen, subject, out);
  Send send{.service = plan.topic ? "sns.amazonaws.com" : "events.amazonaws.com",
            .action = "sqs:SendMessage",
            .resource = plan.queue->arn,
            .source = "",
            .account = plan.place.account};
  const std::vector<std::string> from =
      plan.topic ? std::vector{plan.topic->arn} : sources(plan, seen, plan.queue->arn);
  check_policy(attribute(seen.queue->attributes, "Policy"), subject, std::move(send), from, out);
}

void check_topic(const Plan& plan, const Seen& seen, Findings& out) {
  const std::string subject = "topic " + plan.topic->name;
  if (!seen.topic) {
    out.push_back(
        {Level::kWrong, subject, "does not exist: the router is missing",
         fmt::format("'spotkeeper bootstrap --router {} --create' makes it", plan.topic->name)});
    return;
  }
  check_encryption(attribute(seen.topic->attributes, "KmsMasterKeyId"), subject, "alias/aws/sns",
                   "take no key, or one of yours", out);
  Send send{.service = "events.amazonaws.com",
            .action = "sns:Publish",
            .resource = plan.topic->arn,
            .source = "",
            .account = plan.place.account};
  check_policy(attribute(seen.topic->attributes, "Policy"), subject, std::move(send),
               sources(plan, seen, plan.topic->arn), out);
  if (!plan.queue) return;
  for (const std::string& each : seen.topic->subscribed) {
    if (each != plan.queue->arn) continue;
    out.push_back({Level::kOk, subject, "queue " + plan.queue->name + " is subscribed to it", ""});
    return;
  }
  out.push_back(
      {Level::kWrong, subject, "queue " + plan.queue->name + " is not subscribed to it", kCreate});
}

}  // namespace spotkeeper::bootstrap
