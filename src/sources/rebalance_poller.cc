// SPDX-License-Identifier: Apache-2.0
#include "sources/rebalance_poller.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <utility>

#include "async/timing.h"
#include "base/backoff.h"
#include "base/json.h"

namespace spotkeeper::sources {
namespace {

constexpr const char* kRebalance = "/latest/meta-data/events/recommendations/rebalance";
constexpr Millis kLongestPause{30'000};

}  // namespace

std::optional<Recommendation> parse_rebalance(const std::string& body) {
  boost::system::error_code wrong;
  const boost::json::value root = boost::json::parse(body, wrong);
  if (wrong) return std::nullopt;
  Recommendation said{.text = text_at(root, {"noticeTime"}), .time = {}};
  if (!parse_time(said.text, said.time)) return std::nullopt;
  return said;
}

RebalancePoller::RebalancePoller(aws::ImdsClient& imds, const Clock& clock, Counters& counters,
                                 Options options, std::function<void(core::Notice)> notice)
    : imds_(imds),
      clock_(clock),
      counters_(counters),
      options_(std::move(options)),
      notice_(std::move(notice)) {}

Task<> RebalancePoller::run() {
  int failures = 0;
  for (;;) {
    const Result<std::optional<std::string>> body = co_await imds_.get(kRebalance);
    const auto said = body && *body ? parse_rebalance(**body) : std::nullopt;
    const bool quiet = body && !*body;
    counters_.count(
        "imds_polls",
        {{"outcome", said    ? "rebalance"
                     : quiet ? "quiet"
                             : to_string(body ? ErrorKind::kPermanent : body.error().kind)}});
    failures = said || quiet ? 0 : failures + 1;
    const Time now = clock_.now();
    // The document stays there: an agent that starts later must not believe it for an hour more.
    if (said && said->text != told_ && said->time + options_.trust > now) {
      told_ = said->text;
      core::Notice notice{.id = core::NoticeId("rebalance-recommendation-" + said->text),
                          .kind = core::NoticeKind::kRebalanceRecommendation,
                          .instance = options_.instance,
                          .deadline = std::min(said->time, now) + options_.trust,
                          .source = "imds",
                          .detail = {},
                          .received = now};
      notice_(std::move(notice));
    }
    const Backoff backoff{.attempt = failures,
                          .base = options_.period,
                          .cap = kLongestPause,
                          .jitter = random_unit()};
    co_await sleep_for(failures > 0 ? backoff_delay(backoff) : options_.period);
  }
}

}  // namespace spotkeeper::sources
