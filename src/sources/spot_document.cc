// SPDX-License-Identifier: Apache-2.0
#include "sources/spot_document.h"

#include <utility>

#include "aws/spot_notice.h"

namespace spotkeeper::sources {
namespace {

constexpr const char* kInstanceAction = "/latest/meta-data/spot/instance-action";
constexpr const char* kTerminationTime = "/latest/meta-data/spot/termination-time";

}  // namespace

SpotDocument::SpotDocument(const Clock& clock, Hooks hooks, int legacy_every)
    : clock_(clock),
      hooks_(std::move(hooks)),
      legacy_every_(legacy_every),
      notices_(core::InstanceId()) {}

Task<Outcome> SpotDocument::look(aws::ImdsClient& imds) {
  const Result<std::optional<SpotSighting>> seen = co_await ask(imds);
  // Nothing was waited for since: it is that of our own answer, though others use the client, too.
  const std::optional<aws::ServerTime> said = imds.time();
  ++looks_;
  if (!seen) co_return std::unexpected(seen.error());
  check_clock(said, *seen);
  SpotNotices::News news = notices_.poll(*seen, clock_.now());
  if (news.notice) hooks_.notice(std::move(*news.notice));
  if (news.over && hooks_.over) hooks_.over(std::move(*news.over));
  co_return std::string(*seen ? "notice" : "quiet");
}

void SpotDocument::check_clock(const std::optional<aws::ServerTime>& said,
                               const std::optional<SpotSighting>& seen) {
  if (!said) return;
  const auto named = seen ? std::optional<Time>(seen->time) : std::nullopt;
  const std::optional<Millis> behind = clock_check_.heard(*said, named);
  if (behind && hooks_.clock) hooks_.clock(*behind);
}

Task<Result<std::optional<SpotSighting>>> SpotDocument::ask(aws::ImdsClient& imds) {
  const Result<std::optional<std::string>> body = co_await imds.get(kInstanceAction);
  if (!body) co_return std::unexpected(body.error());
  if (!*body) {
    if (!legacy_speaks_ && looks_ % legacy_every_ != 0) co_return std::optional<SpotSighting>();
    co_return co_await ask_legacy(imds);
  }
  const Result<aws::SpotAction> action = aws::parse_instance_action(**body);
  if (!action) co_return std::unexpected(action.error());
  co_return SpotSighting{.action = action->action, .time = action->time};
}

Task<Result<std::optional<SpotSighting>>> SpotDocument::ask_legacy(aws::ImdsClient& imds) {
  const Result<std::optional<std::string>> body = co_await imds.get(kTerminationTime);
  if (!body) co_return std::unexpected(body.error());
  legacy_speaks_ = body->has_value();
  if (!*body) co_return std::optional<SpotSighting>();
  const std::optional<Time> time = aws::parse_termination_time(**body);
  if (!time) co_return std::optional<SpotSighting>();
  co_return SpotSighting{.action = "terminate", .time = *time};
}

}  // namespace spotkeeper::sources
