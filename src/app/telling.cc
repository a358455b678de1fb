// SPDX-License-Identifier: Apache-2.0
#include "app/telling.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "app/hearing.h"
#include "app/identity.h"
#include "app/telling_server.h"
#include "app/webhook.h"
#include "async/timing.h"
#include "core/plan.h"
#include "observe/metrics.h"
#include "tell/deeds.h"
#include "tell/figures.h"
#include "tell/liveness.h"
#include "tell/message.h"
#include "tell/words.h"

namespace spotkeeper::app {
namespace {

using SteadyTime = std::chrono::steady_clock;

constexpr Millis kBeat{1'000};
// A message waits so long for what is to be found out about its host.
constexpr Millis kForFacts{3'000};
constexpr Millis kLookForFacts{50};
constexpr int kLogFormats = 2;
constexpr size_t kMostUnpublished = 1'024;

constexpr core::NoticeKind kHeard[] = {
    core::NoticeKind::kSpotInterruption, core::NoticeKind::kScheduledEvent,
    core::NoticeKind::kRebalanceRecommendation, core::NoticeKind::kAsgTermination};

tell::Liveness::Limits limits(const TellingPlace& place) {
  tell::Liveness::Limits limits;
  limits.source = place.polled;
  limits.poll = place.poll_at_most;
  limits.heard = std::max(limits.heard, limits.poll);
  return limits;
}

}  // namespace

std::vector<const char*> monitors_of(const config::AgentOptions& options) {
  std::vector<const char*> monitors;
  for (const core::NoticeKind kind : kHeard) {
    if (hears(options, kind)) monitors.push_back(tell::nth_monitor(kind));
  }
  return monitors;
}

// It may take all its tries, each with a token before it and a pause behind it.
Millis longest_poll(const config::AgentOptions& options) {
  return Seconds(30) + options.metadata_tries * Seconds(10) + options.imds_poll_interval;
}

class Telling::Body {
 public:
  Body(const config::AgentOptions& options, TellingPlace place);

  Result<void> prepare();
  void start(Scene& scene);
  void noted(const core::Entry& entry);
  void polled(bool well) {
    ++polls_;
    if (well) ++good_polls_;
  }
  void poll_failed(const char* monitor, const Error& error, int in_a_row);
  void uncordoned(const core::HostId& host, const core::NoticeId& event) {
    if (options_.dry_run) return;
    did({.kind = tell::DeedKind::kUncordon}, event, host);
  }
  void finished(const core::Drain& drain) { figures_.finished(drain, place_.clock.now()); }
  void post_drained(const core::HostId& host, const core::NoticeId& notice) {
    if (!options_.dry_run) did({.kind = tell::DeedKind::kPostDrain}, notice, host);
  }
  void forget(const core::HostId& host) {
    hosts_.erase(host);
    figures_.forget(host);
  }
  Task<> settle();

 private:
  struct Host {
    core::NoticeId told;  // the last notice that was told of
    tell::Deeds deeds;
  };
  struct Unpublished {
    core::HostId host;
    Scene::Tidings tidings;
  };
  int log_format() const { return std::clamp(options_.telling.log_format_version, 1, kLogFormats); }
  void say_start();
  const char* monitor_of(core::NoticeKind kind) const {
    return place_.hears_all != nullptr ? place_.hears_all : tell::nth_monitor(kind);
  }
  bool identity_known() const { return !identity_ || identity_->known(); }
  tell::Instance instance_of(const HostFacts& facts) const {
    return identity_ ? identity_->instance() : facts.instance;
  }
  void interruption(const core::HostId& host, const core::Notice& notice);
  void did(const tell::Deed& deed, const core::NoticeId& notice, const core::HostId& host);
  void publish(const core::HostId& host, std::string reason, std::string message, bool warning);
  Task<> publish_all();
  void pod_told(const core::Entry& entry, const core::Drain& drain);
  Task<> post(core::HostId host, core::Notice notice);
  Task<> beat();
  std::string metrics() const;

  const config::AgentOptions& options_;
  const core::Policy policy_ = config::policy_of(options_);  // without a file's rules
  TellingPlace place_;
  Scene* scene_ = nullptr;
  Histograms histograms_;
  tell::Figures figures_;
  tell::Liveness liveness_;
  std::optional<Identity> identity_;
  Webhook webhook_;
  TellingServer server_;
  std::map<core::HostId, Host> hosts_;
  int posting_ = 0;
  double polls_ = 0;  // that have ended
  double good_polls_ = 0;
  std::vector<Unpublished> unpublished_;  // about nodes, for a moment
};

Telling::Body::Body(const config::AgentOptions& options, TellingPlace place)
    : options_(options),
      place_(std::move(place)),
      figures_(place_.counters, histograms_, options.telling.node_actions),
      liveness_(limits(place_), !place_.monitors.empty(), SteadyTime::now()),
      webhook_(place_.work.executor(), options.telling, place_.clock, place_.counters, place_.log),
      server_(options.telling, {.metrics = [this] { return metrics(); },
                                .stuck = [this] { return liveness_.stuck(SteadyTime::now()); },
                                .unready =
                                    [this] {
                                      return liveness_.unready(
                                          SteadyTime::now(), scene_ == nullptr ? "not started yet"
                                                                               : scene_->unready());
                                    }}) {
  if (place_.imds != nullptr) identity_.emplace(*place_.imds);
}

Result<void> Telling::Body::prepare() {
  if (auto prepared = webhook_.prepare(); !prepared) return prepared;
  return server_.listen(place_.work);
}

void Telling::Body::start(Scene& scene) {
  scene_ = &scene;
  say_start();
  server_.start(place_.work, place_.log);
  if (identity_ && (webhook_.wanted() || options_.telling.kubernetes_events)) {
    place_.work.spawn("identity", identity_->run());
  }
  if (options_.telling.probes_server) place_.work.spawn("liveness", beat());
}

void Telling::Body::say_start() {
  if (options_.telling.kubernetes_events && options_.platform == config::Platform::kEcs) {
    place_.log.warning("EMIT_KUBERNETES_EVENTS: there are none on ECS");
  }
  if (options_.telling.log_format_version != log_format()) {
    place_.log.warning(
        "LOG_FORMAT_VERSION: there are 1 and 2; taken for " + std::to_string(log_format()),
        {{"log_format_version", std::to_string(options_.telling.log_format_version)}});
  }
  const char* field = log_format() == 1 ? "event_type" : "monitor_type";
  for (const char* monitor : place_.monitors) {
    place_.log.info("Started monitoring for events", {{field, monitor}});
  }
}

void Telling::Body::noted(const core::Entry& entry) {
  const core::Drain* drain = place_.drain(entry.host);
  if (drain == nullptr) return;
  Host& host = hosts_[entry.host];
  if (entry.what == core::What::kNotice && drain->notice().id != host.told) {
    host.told = drain->notice().id;
    interruption(entry.host, drain->notice());
  }
  figures_.noted(entry, *drain);
  if (entry.what == core::What::kTold) pod_told(entry, *drain);
  for (const tell::Deed& deed :
       host.deeds.on(entry, *drain, core::marks_only(policy_, drain->notice()))) {
    did(deed, drain->notice().id, entry.host);
  }
}

void Telling::Body::interruption(const core::HostId& host, const core::Notice& notice) {
  figures_.heard(notice);
  const HostFacts facts = scene_->facts(host);
  observe::Fields fields{{"event-id", notice.id.value},
                         {"kind", tell::nth_kind(notice.kind)},
                         {"node-name", host.value},
                         {"instance-id", instance_of(facts).instance_id},
                         {"provider-id", facts.provider_id}};
  if (log_format() > 1) fields.emplace_back("monitor", monitor_of(notice.kind));
  place_.log.info("Requesting instance drain", fields);
  publish(host, tell::event_reason(notice.kind),
          facts.description.empty() ? tell::description(notice) : facts.description, false);
  if (!webhook_.wanted()) return;
  ++posting_;
  place_.work.spawn("webhook", post(host, notice));
}

void Telling::Body::did(const tell::Deed& deed, const core::NoticeId& notice,
                        const core::HostId& host) {
  figures_.did(deed, notice, host.value);
  publish(host, tell::reason_of(deed), tell::sentence_of(deed), !deed.done);
}

// Of a node: with what is known of its instance, and what the operator adds or says instead.
void Telling::Body::publish(const core::HostId& host, std::string reason, std::string message,
                            bool warning) {
  if (!options_.telling.kubernetes_events || options_.dry_run || host.empty()) return;
  Scene::Tidings tidings{
      .reason = std::move(reason), .message = std::move(message), .warning = warning};
  // At its start an agent does not know its host yet, but will in a moment.
  const bool first = unpublished_.empty();
  if (unpublished_.size() < kMostUnpublished) {
    unpublished_.push_back({.host = host, .tidings = std::move(tidings)});
  }
  if (first) place_.work.spawn("node events", publish_all());
}

Task<> Telling::Body::publish_all() {
  const Time until = place_.clock.now() + kForFacts;
  while (!identity_known() && place_.clock.now() < until) co_await sleep_for(kLookForFacts);
  for (auto& [host, tidings] : std::exchange(unpublished_, {})) {
    tidings.annotations = options_.telling.extra_annotations;
    tidings.annotations.merge(tell::annotations_of(instance_of(scene_->facts(host))));
    scene_->publish(host, tidings);
  }
}

void Telling::Body::pod_told(const core::Entry& entry, const core::Drain& drain) {
  if (!options_.telling.kubernetes_events) return;
  for (const core::Track* track : drain.tracks()) {
    if (track->unit.name != entry.unit || !track->told_by_us) continue;
    std::string message = "Pod evicted due to node drain";
    if (track->overruled) message += ", its disruption budget overruled";
    scene_->publish_of(entry.host, track->unit.id,
                       {.reason = "PodEviction", .message = std::move(message)});
  }
}

void Telling::Body::poll_failed(const char* monitor, const Error& error, int in_a_row) {
  figures_.failed(monitor);
  if (!is_said(in_a_row)) return;
  place_.log.warning(
      "There was a problem monitoring for events",
      {{log_format() == 1 ? "event_type" : "monitor_type", monitor}, {"error", error.message}});
  publish(core::HostId(options_.node_name), "MonitorError",
          std::string("There was a problem monitoring for events in ") + monitor, true);
}

Task<> Telling::Body::post(core::HostId host, core::Notice notice) {
  const Time until = place_.clock.now() + kForFacts;
  const auto found = [this, &host] {
    const core::Drain* drain = place_.drain(host);
    return identity_known() && drain != nullptr && drain->listed();
  };
  while (!found() && place_.clock.now() < until) co_await sleep_for(kLookForFacts);
  tell::Message message = tell::message_of(notice, host.value);
  HostFacts facts = scene_->facts(host);
  message.monitor = monitor_of(notice.kind);
  message.instance = instance_of(facts);
  message.provider_id = std::move(facts.provider_id);
  message.node_labels = std::move(facts.labels);
  message.group = std::move(facts.group);
  message.managed = facts.managed;
  if (!facts.description.empty()) message.description = std::move(facts.description);
  if (const core::Drain* drain = place_.drain(host)) {
    for (const core::Track* track : drain->tracks()) {
      const std::string& name = track->unit.name;
      message.pods.push_back(name.substr(name.find('/') + 1));
    }
  }
  if (options_.dry_run) {
    webhook_.body_of(message);  // what fails is said
    place_.log.info("Webhook would have been posted, but dry-run flag was set",
                    {{"event-id", message.event_id}});
  } else {
    co_await webhook_.post(std::move(message));
  }
  --posting_;
}

Task<> Telling::Body::beat() {
  for (;;) {
    liveness_.beat(SteadyTime::now(), polls_, good_polls_);
    co_await sleep_for(kBeat);
  }
}

std::string Telling::Body::metrics() const {
  std::vector<observe::Reading> readings = observe::process_readings();
  if (place_.readings) {
    for (observe::Reading& each : place_.readings()) readings.push_back(std::move(each));
  }
  std::vector<const core::Drain*> drains;
  for (const auto& [host, told] : hosts_) {
    if (const core::Drain* drain = place_.drain(host)) drains.push_back(drain);
  }
  readings.push_back({.name = "spotkeeper_service_dark_seconds_total",
                      .help = "Time for which Services on the host had no Ready endpoint.",
                      .value = figures_.dark_seconds(drains, place_.clock.now()),
                      .counts = true});
  return observe::metrics_text(place_.counters, histograms_, readings);
}

Task<> Telling::Body::settle() {
  while (posting_ > 0 || !unpublished_.empty()) co_await sleep_for(kLookForFacts);
}

Telling::Telling(const config::AgentOptions& options, TellingPlace place)
    : body_(std::make_unique<Body>(options, std::move(place))) {}
Telling::~Telling() = default;
Result<void> Telling::prepare() {
  return body_->prepare();
}
void Telling::start(Scene& scene) {
  body_->start(scene);
}
void Telling::noted(const core::Entry& entry) {
  body_->noted(entry);
}
void Telling::polled(bool well) {
  body_->polled(well);
}
void Telling::poll_failed(const char* monitor, const Error& error, int in_a_row) {
  body_->poll_failed(monitor, error, in_a_row);
}
void Telling::uncordoned(const core::HostId& host, const core::NoticeId& event) {
  body_->uncordoned(host, event);
}
void Telling::finished(const core::Drain& drain) {
  body_->finished(drain);
}
void Telling::post_drained(const core::HostId& host, const core::NoticeId& notice) {
  body_->post_drained(host, notice);
}
void Telling::forget(const core::HostId& host) {
  body_->forget(host);
}
Task<> Telling::settle() {
  co_await body_->settle();
}

}  // namespace spotkeeper::app
