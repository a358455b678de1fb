// SPDX-License-Identifier: Apache-2.0
#include "sources/sqs_consumer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/backoff.h"

namespace spotkeeper::sources {
namespace {

constexpr Seconds kLongPoll{20};  // the longest that SQS allows
constexpr size_t kFullBatch = 10;
constexpr int kMostBeside = 6;
// More is left to other replicas, or for later: memory is bounded, and a message is about 1 KiB.
constexpr size_t kMostInHand = 5'000;
// Deletions of messages that are done with within this go together.
constexpr Millis kTogether{100};
constexpr Millis kFirstPause{500};
constexpr Millis kLongestPause{20'000};
// A request that is not answered must not hold up those that keep messages ours.
constexpr Millis kAskAtMost{5'000};

}  // namespace

SqsConsumer::SqsConsumer(TaskGroup& group, aws::Client& client, const Clock& clock, Options options,
                         Hooks hooks)
    : group_(group),
      client_(client),
      clock_(clock),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      deliveries_(options_.visibility),
      news_(group.executor()),
      held_(group.executor()) {}

void SqsConsumer::start() {
  group_.spawn("queue", receive_for_ever());
  group_.spawn("messages done with", settle_all());
  group_.spawn("messages in hand", keep());
}

void SqsConsumer::settle(const std::string& id, Fate fate) {
  deliveries_.settle(id, fate);
  if (deliveries_.has_news()) news_.set();
}

// The first answer comes at once, so that it is known soon that there are answers, and AWS's time.
Task<> SqsConsumer::receive_for_ever() {
  Seconds wait(0);
  while (!stopped_) {
    if (deliveries_.in_hand() >= kMostInHand) {
      co_await sleep_for(kFirstPause);
    } else if (co_await receive(wait)) {
      wait = kLongPoll;
    } else {
      const Backoff backoff{.attempt = std::max(failures_, 1),
                            .base = kFirstPause,
                            .cap = kLongestPause,
                            .jitter = random_unit()};
      co_await sleep_for(backoff_delay(backoff));
    }
  }
}

// Beside the long poll, until the backlog is gone.
Task<> SqsConsumer::receive_more() {
  while (!stopped_ && deliveries_.in_hand() < kMostInHand) {
    const Result<int> news = co_await receive(Seconds(0));
    if (!news || *news == 0) break;
  }
  --beside_;
}

Task<Result<int>> SqsConsumer::receive(Seconds wait) {
  aws::SqsReceive what{.queue_url = options_.queue_url,
                       .at_most = static_cast<int>(kFullBatch),
                       .wait = wait,
                       .visibility = options_.visibility};
  const auto messages = co_await aws::receive_messages(client_, std::move(what));
  hooks_.polled(messages.has_value());
  if (!messages) {
    hooks_.failed(messages.error(), ++failures_);
    co_return std::unexpected(messages.error());
  }
  failures_ = 0;
  // SQS answers with fewer than there are: whatever comes may be the beginning of a storm.
  if (!messages->empty() && beside_ < kMostBeside && !stopped_) {
    ++beside_;
    group_.spawn("backlog", receive_more());
  }
  int news = 0;
  for (const aws::SqsMessage& message : *messages) {
    if (deliveries_.received(message.id, message.receipt, message.receives, clock_.now())) {
      ++news;
      hooks_.message(message);
    }
  }
  held_.set();
  co_return news;
}

Task<> SqsConsumer::settle_all() {
  for (;;) {
    while (!deliveries_.has_news()) co_await news_.wait(kLongPoll);
    co_await sleep_for(kTogether);
    co_await tidy();
  }
}

Task<> SqsConsumer::keep() {
  for (;;) {
    const Time due = deliveries_.due();
    if (due > clock_.now()) {
      co_await held_.wait(due == kNever ? Millis(kLongPoll) : due - clock_.now());
      continue;
    }
    co_await sleep_for(kTogether);
    co_await extend();
  }
}

// The first request that fails ends it: the rest is asked for again soon, with those.
Task<> SqsConsumer::extend() {
  const std::vector<std::string> due = deliveries_.take_due(clock_.now());
  for (size_t begin = 0; begin < due.size(); begin += kFullBatch) {
    const auto end = due.begin() + static_cast<int64_t>(std::min(begin + kFullBatch, due.size()));
    std::vector<std::string> some(due.begin() + static_cast<int64_t>(begin), end);
    const auto changed = co_await aws::change_visibility(
        client_, options_.queue_url, std::move(some), options_.visibility, kAskAtMost);
    if (!changed) {
      deliveries_.not_extended({due.begin() + static_cast<int64_t>(begin), due.end()},
                               clock_.now());
      hooks_.failed(changed.error(), ++kept_badly_);
      co_return;
    }
    std::vector<std::string> refused;
    for (const aws::SqsFailure& each : *changed) {
      if (!each.for_good) refused.push_back(each.receipt);
    }
    deliveries_.not_extended(refused, clock_.now());
    kept_badly_ = 0;
  }
}

// What fails here is seen again: it is done anew then, or settled at once.
Task<> SqsConsumer::tidy() {
  std::vector<std::string> done = deliveries_.take_done();
  std::map<Seconds, std::vector<std::string>> left;
  for (auto& [receipt, pause] : deliveries_.take_left()) left[pause].push_back(std::move(receipt));
  if (options_.read_only) {
    // Seen again by whoever really does something.
    left[options_.visibility].insert(left[options_.visibility].end(), done.begin(), done.end());
    done.clear();
  }
  bool well = true;
  if (!done.empty()) {
    const auto deleted =
        co_await aws::delete_messages(client_, options_.queue_url, std::move(done));
    if (!deleted) hooks_.failed(deleted.error(), ++settled_badly_);
    well = deleted.has_value();
  }
  for (auto& [pause, receipts] : left) {
    const auto changed =
        co_await aws::change_visibility(client_, options_.queue_url, std::move(receipts), pause);
    if (!changed) hooks_.failed(changed.error(), ++settled_badly_);
    well = well && changed.has_value();
  }
  if (well) settled_badly_ = 0;
}

Task<> SqsConsumer::give_back() {
  stopped_ = true;
  co_await tidy();
  std::vector<std::string> rest = deliveries_.give_up();
  if (rest.empty()) co_return;
  const auto changed =
      co_await aws::change_visibility(client_, options_.queue_url, std::move(rest), Seconds(0));
  if (!changed) hooks_.failed(changed.error(), ++settled_badly_);
}

}  // namespace spotkeeper::sources
