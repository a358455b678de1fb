// SPDX-License-Identifier: Apache-2.0
#include "app/node_start.h"

#include <charconv>
#include <utility>
#include <vector>

#include "async/timing.h"
#include "base/backoff.h"
#include "base/file.h"
#include "effects/node_writes.h"

namespace spotkeeper::app {
namespace {

constexpr Millis kFirstPause{1'000};
constexpr Millis kLongestPause{60'000};
constexpr size_t kLargestUptime = 4096;
constexpr const char* kSpotTaint = "spotInstance";

}  // namespace

Result<Seconds> read_uptime(const std::string& file) {
  const std::string path = file.empty() ? "/proc/uptime" : file;
  const Result<std::string> text = read_file(path, kLargestUptime);
  if (!text) return std::unexpected(text.error());
  const std::string whole = text->substr(0, text->find_first_of(". \n"));
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), seconds);
  if (error != std::errc() || end != whole.data() + whole.size() || seconds < 0) {
    return permanent(path + ": expected the seconds since the boot first");
  }
  return Seconds(seconds);
}

Task<core::NoticeId> undo_after_reboot(kube::Api& api, kube::Node node,
                                       const config::AgentOptions& options, const Clock& clock,
                                       observe::Log& log) {
  const Result<Seconds> uptime = read_uptime(options.uptime_from_file);
  if (!uptime) {
    log.warning("whether the host was rebooted since it was marked is not known: " +
                uptime.error().message);
    co_return core::NoticeId();
  }
  const effects::Boot boot{.now = clock.now(),
                           .uptime = *uptime,
                           .nth_labels = options.enable_scheduled_event_draining,
                           .nth_taints = options.taint_node};
  auto done = co_await effects::undo_after_reboot(api, std::move(node), boot, !options.dry_run);
  if (!done) {
    log.warning("whether the host was rebooted since it was marked is not known: " +
                done.error().message);
    co_return core::NoticeId();
  }
  if (!done->event.empty()) {
    log.info(options.dry_run
                 ? "rebooted since: Node would have been uncordoned, but dry-run flag was set"
                 : "rebooted since what was announced: " + done->remark,
             {{"node", options.node_name}, {"notice", done->event.value}});
  }
  co_return done->event;
}

Task<> describe_lifecycle(kube::Api& api, aws::ImdsClient& imds,
                          const config::AgentOptions& options, observe::Log& log) {
  for (int attempt = 1;; ++attempt) {
    std::string problem;
    const auto said = co_await imds.get("/latest/meta-data/instance-life-cycle");
    if (!said) {
      problem = said.error().message;
    } else if (!*said) {
      problem = "IMDS: there is no instance-life-cycle";
    } else {
      const bool spot = (*said)->starts_with("spot");
      const config::LifecycleOptions& wanted = options.lifecycle;
      Labels labels;
      if (!wanted.label.empty()) labels[wanted.label] = spot ? wanted.spot : wanted.on_demand;
      std::vector<kube::Taint> taints;
      if (spot && wanted.taint_spot) {
        taints.push_back({.key = kSpotTaint, .value = "true", .effect = "PreferNoSchedule"});
      }
      if (options.dry_run) {
        log.info("the node would have been labelled by its lifecycle, but dry-run flag was set");
        co_return;
      }
      const Result<std::string> done = co_await effects::describe_node(
          api, options.node_name, std::move(labels), std::move(taints));
      if (done) {
        if (!done->empty()) log.info("the node says what it is: " + *done);
        co_return;
      }
      problem = done.error().message;
    }
    if (is_said(attempt)) {
      log.warning("the node's lifecycle cannot be said yet: " + problem,
                  {{"attempt", std::to_string(attempt)}});
    }
    const Backoff backoff{
        .attempt = attempt, .base = kFirstPause, .cap = kLongestPause, .jitter = random_unit()};
    co_await sleep_for(backoff_delay(backoff));
  }
}

}  // namespace spotkeeper::app
