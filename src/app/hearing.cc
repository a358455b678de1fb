// SPDX-License-Identifier: Apache-2.0
#include "app/hearing.h"

#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "sources/asg_document.h"
#include "sources/rebalance_document.h"
#include "sources/scheduled_document.h"
#include "sources/spot_document.h"

namespace spotkeeper::app {
namespace {

// What is told long before, and what may end the host within two minutes.
constexpr Millis kSlow{5'000};
constexpr Millis kFast{2'000};
// Between two looks that fail.
constexpr Millis kLongPause{30'000};
constexpr Millis kShortPause{5'000};
// The first looks one after another: the later find a token and a connection.
constexpr Millis kStagger{200};
// As long as NTH tries to find out whether its host was rebooted.
constexpr Millis kNodePatience{8'000};

}  // namespace

Hearing::Hearing(TaskGroup& sources, const config::AgentOptions& options, aws::ImdsClient& imds,
                 const Clock& clock, Counters& counters, observe::Log& log, Hooks hooks)
    : sources_(sources),
      options_(options),
      imds_(imds),
      clock_(clock),
      counters_(counters),
      log_(log),
      hooks_(std::move(hooks)),
      node_known_(sources.executor()) {}

bool hears(const config::AgentOptions& options, core::NoticeKind kind) {
  switch (kind) {
    case core::NoticeKind::kSpotInterruption:
      return options.enable_spot_interruption_draining;
    case core::NoticeKind::kScheduledEvent:  // what would undo it after a reboot is a Node's
      return options.enable_scheduled_event_draining && options.platform != config::Platform::kEcs;
    case core::NoticeKind::kAsgTermination:
      return options.enable_asg_lifecycle_draining;
    case core::NoticeKind::kRebalanceRecommendation:
      return options.enable_rebalance_monitoring || options.enable_rebalance_draining ||
             options.enable_rebalance_soft_signal;
    default:
      return false;
  }
}

void Hearing::add(core::NoticeKind kind, std::unique_ptr<sources::Document> document, Millis period,
                  std::function<void(bool)> looked) {
  const sources::Document* const shown = document.get();
  const Millis begin_after = kStagger * pollers_.size();
  pollers_.push_back(std::make_unique<sources::Poller>(
      std::move(document), imds_, clock_, counters_,
      sources::Poller::Options{.period = std::max(period, options_.imds_poll_interval),
                               .longest_pause = period == kSlow ? kLongPause : kShortPause,
                               .begin_after = begin_after},
      sources::Poller::Hooks{
          .failure =
              [this, shown, kind](const Error& error, int n) {
                failed(shown, error, n);
                hooks_.failed(kind, error, n);
              },
          .recovery = [this, shown](int failures) { recovered(shown, failures); },
          .looked =
              [this, looked = std::move(looked)](bool well) {
                if (looked) looked(well);
                hooks_.polled(well);
              }}));
}

void Hearing::start() {
  using Kind = core::NoticeKind;
  const auto heard = [this](core::Notice notice) { hear(std::move(notice)); };
  const auto is_over = [this](core::NoticeId id) { over(std::move(id)); };
  if (hears(Kind::kSpotInterruption)) {
    sources::SpotDocument::Hooks hooks{.notice = heard, .over = is_over, .clock = hooks_.clock};
    add(Kind::kSpotInterruption, std::make_unique<sources::SpotDocument>(clock_, std::move(hooks)),
        options_.imds_poll_interval);
  }
  if (hears(Kind::kAsgTermination)) {
    const Seconds granted(options_.node_termination_grace_period);
    add(Kind::kAsgTermination, std::make_unique<sources::AsgDocument>(clock_, granted, heard),
        kFast);
  }
  if (hears(Kind::kRebalanceRecommendation)) {
    const auto trust = std::chrono::floor<Seconds>(options_.rebalance_trust);
    add(Kind::kRebalanceRecommendation,
        std::make_unique<sources::RebalanceDocument>(clock_, trust, heard), kSlow);
  }
  if (hears(Kind::kScheduledEvent)) {
    sources::ScheduledDocument::Hooks hooks{.notice = heard, .over = is_over};
    add(Kind::kScheduledEvent,
        std::make_unique<sources::ScheduledDocument>(clock_, scheduled_, std::move(hooks)), kSlow,
        [this](bool good) { scheduled_looked(good); });
    scheduled_poller_ = pollers_.back().get();
  }
  for (const auto& poller : pollers_) {
    sources::Poller* const one = poller.get();
    const std::string name = std::string("imds ") + one->document().name();
    sources_.spawn(name, one == scheduled_poller_ ? poll_scheduled(one) : one->run());
  }
}

// An event that has been is still listed for a while: whether it has been the node says.
Task<> Hearing::poll_scheduled(sources::Poller* poller) {
  co_await node_known_.wait(kNodePatience);
  co_await poller->run();
}

void Hearing::node_known(const core::NoticeId& been) {
  if (!been.empty()) scheduled_.ignore(been);
  node_known_.set();
}

bool Hearing::resume(const core::Notice& recorded) {
  if (recorded.kind != core::NoticeKind::kScheduledEvent) return true;
  recorded_ = recorded;
  scheduled_.resume(recorded.id);
  return false;
}

// Where instance metadata is silent, the record is heard in its place.
void Hearing::scheduled_looked(bool good) {
  if (good || !recorded_) return;
  core::Notice recorded = *std::exchange(recorded_, std::nullopt);
  const Time now = clock_.now();
  if (recorded.deadline <= now) return;  // the host has outlived it
  recorded.received = now;
  log_.info("going on with the drain that the host's record tells of",
            {{"notice", recorded.id.value}, {"kind", core::to_string(recorded.kind)}});
  hear(std::move(recorded));
}

void Hearing::hear(core::Notice notice) {
  if (recorded_ && recorded_->id == notice.id) recorded_.reset();
  hold_[notice.id] = notice;
  hooks_.notice(std::move(notice));
}

void Hearing::over(core::NoticeId id) {
  if (recorded_ && recorded_->id == id) {
    // Its mark is still there: heard once more, to be taken back.
    core::Notice recorded = *std::exchange(recorded_, std::nullopt);
    recorded.received = clock_.now();
    hooks_.notice(std::move(recorded));
  }
  hold_.erase(id);
  const Time now = clock_.now();
  const core::Notice* strongest = nullptr;
  for (const auto& [other, notice] : hold_) {
    if (notice.deadline <= now) continue;
    const int weight =
        strongest == nullptr ? 1 : core::strength(notice) - core::strength(*strongest);
    if (weight > 0 || (weight == 0 && notice.deadline < strongest->deadline)) strongest = &notice;
  }
  hooks_.over(std::move(id), strongest != nullptr ? std::optional(*strongest) : std::nullopt);
}

// Weather is all documents': the first that has it says it, the 1st, 2nd, 4th, 8th … time, and the
// first that has an answer says that it is over. What one document says is its own.
void Hearing::failed(const sources::Document* document, const Error& error, int in_a_row) {
  if (error.kind == ErrorKind::kPermanent) {
    odd_.insert(document);
  } else {
    if (complaining_ == nullptr) complaining_ = document;
    if (complaining_ != document) return;
  }
  if (!is_said(in_a_row)) return;
  log_.warning("instance metadata: " + error.message, {{"failures", std::to_string(in_a_row)}});
}

void Hearing::recovered(const sources::Document* document, int failures) {
  const bool was_odd = odd_.erase(document) != 0;
  if (std::exchange(complaining_, nullptr) == nullptr && !was_odd) return;
  log_.info("instance metadata answers again", {{"failures", std::to_string(failures)}});
}

}  // namespace spotkeeper::app
