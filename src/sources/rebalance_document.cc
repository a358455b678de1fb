// SPDX-License-Identifier: Apache-2.0
#include "sources/rebalance_document.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <utility>

#include "base/json.h"
#include "sources/event_id.h"

namespace spotkeeper::sources {
namespace {

constexpr const char* kRebalance = "events/recommendations/rebalance";

}  // namespace

std::optional<Recommendation> parse_rebalance(const std::string& body) {
  boost::system::error_code wrong;
  const boost::json::value root = boost::json::parse(body, wrong);
  if (wrong) return std::nullopt;
  Recommendation said{.text = text_at(root, {"noticeTime"}), .time = {}};
  if (!parse_time(said.text, said.time)) return std::nullopt;
  return said;
}

RebalanceDocument::RebalanceDocument(const Clock& clock, Seconds trust, Hook notice)
    : Page(kRebalance), clock_(clock), trust_(trust), notice_(std::move(notice)) {}

Outcome RebalanceDocument::read(const std::optional<std::string>& body) {
  if (!body) return "quiet";
  const auto said = parse_rebalance(*body);
  if (!said) return permanent(std::string(kRebalance) + ": it names no time");
  const Time now = clock_.now();
  const bool for_good = trust_ == Seconds(0);
  // The document stays there: an agent that starts later must not believe it for an hour more.
  if (said->text == told_ || (!for_good && said->time + trust_ <= now)) return "rebalance";
  told_ = said->text;
  core::Notice notice{.id = event_id("rebalance-recommendation-", "&{" + said->text + "}"),
                      .kind = core::NoticeKind::kRebalanceRecommendation,
                      .instance = {},
                      .deadline = for_good ? kNever : std::min(said->time, now) + trust_,
                      .source = "imds",
                      .detail = {},
                      .received = now};
  notice_(std::move(notice));
  return "rebalance";
}

}  // namespace spotkeeper::sources
