// SPDX-License-Identifier: Apache-2.0
#include "app/ecs_platform.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <utility>

#include "app/aws_access.h"
#include "async/timing.h"
#include "aws/endpoint.h"
#include "aws/imds.h"
#include "base/backoff.h"
#include "ecs/drain_record.h"
#include "ecs/ecs.h"
#include "ecs/own_task.h"
#include "ecs/policy.h"
#include "ecs/words.h"

namespace spotkeeper::app {
namespace {

constexpr Millis kLookAtMost{5'000};
constexpr Millis kLongestPause{15'000};
// Source: EC2 Auto Scaling user guide, "Retrieve the target lifecycle state through instance
// metadata"; 404 outside of a group.
constexpr const char* kTargetState = "/latest/meta-data/autoscaling/target-lifecycle-state";
constexpr int kHurried = 3;  // searches, after which silence is not believed

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "this host";
  return name.data();
}

http::ClientOptions link_local() {
  http::ClientOptions options;
  options.use_environment_proxy = false;
  return options;
}

aws::ImdsOptions imds_options(const config::AgentOptions& options) {
  aws::ImdsOptions imds;
  imds.base_url = options.metadata_url;
  imds.tries = options.metadata_tries;
  return imds;
}

class EcsPlatform final : public Platform {
 public:
  EcsPlatform(const config::AgentOptions& options, PlatformPlace place)
      : options_(options),
        place_(std::move(place)),
        host_(options.node_name.empty() ? host_name() : options.node_name),
        local_(place_.work.executor(), link_local()),
        imds_(local_, imds_options(options), place_.clock) {
    place_.hooks.able(ecs::abilities());
  }

  const core::HostId& host() const override { return host_; }
  observe::Fields fields() const override {
    return {{"platform", "ecs"},
            {"node", host_.value},
            {"introspection_url", options_.ecs.introspection_url}};
  }
  void start() override { place_.work.spawn("container instance", find_self()); }
  void carry_out(core::Action action) override;
  void watch(const core::Notice& notice) override;
  std::string in_words(std::string text) const override {
    return ecs::in_ecs_words(std::move(text));
  }
  void finished(const core::Drain& drain) override {
    if (ecs_) ecs_->finished(drain);
  }
  Task<> settle() override {
    if (ecs_) co_await ecs_->settle();
  }

 private:
  Task<> find_self();
  Task<Result<ecs::Instance>> look();
  Task<Result<ecs::Instance>> look_for(ecs::Introspection said);
  Task<> ask_imds();
  Task<Result<void>> reach_aws(std::string arn);
  Task<> answer_unknown(core::Action action);
  ecs::Ecs::Options effect_options();
  void known(ecs::Instance instance);
  Task<> begin(ecs::Instance self);
  Task<> confirm(ecs::Instance& self);
  Task<> take_up(ecs::Instance instance);
  Task<Result<std::string>> why_it_ends();

  const config::AgentOptions& options_;
  PlatformPlace place_;
  core::HostId host_;
  http::Client local_;
  aws::ImdsClient imds_;
  std::unique_ptr<AwsAccess> aws_;
  std::unique_ptr<ecs::Ecs> ecs_;
  std::string instance_id_;  // EC2's, as IMDS says
  int searches_ = 0;         // for it, since the start or since the notice
  std::optional<core::Notice> heard_;
  std::optional<core::Notice> earlier_;  // of an earlier life, to be gone on with
  ecs::OwnTask own_task_;
};

ecs::Ecs::Options EcsPlatform::effect_options() {
  const bool acts = !options_.dry_run && !options_.cordon_only;
  ecs::Ecs::Options effects;
  effects.view.tasks.stop_timeout = std::chrono::ceil<Seconds>(options_.ecs.stop_timeout);
  effects.view.tasks.own_task = own_task_.arn;
  effects.view.margin = Seconds(options_.margin);
  effects.view.deregister_targets = acts && options_.ecs.deregister_targets;
  effects.view.force_new_deployment = acts && options_.ecs.force_new_deployment;
  effects.deregister = acts && options_.ecs.deregister;
  effects.ends_anyway = [this] { return why_it_ends(); };
  return effects;
}

void EcsPlatform::carry_out(core::Action action) {
  if (ecs_) {
    ecs_->carry_out(std::move(action));
  } else {
    place_.work.spawn("unknown host", answer_unknown(std::move(action)));
  }
}

Task<> EcsPlatform::answer_unknown(core::Action action) {
  core::ActionDone done{.number = action.number,
                        .result = retryable("its container instance is not known yet"),
                        .sent = {}};
  place_.hooks.tell(action.host, std::move(done));
  co_return;
}

void EcsPlatform::watch(const core::Notice& notice) {
  if (!heard_) searches_ = kHurried;  // what was rare is not waited for
  heard_ = notice;
  if (ecs_) ecs_->watch(host_, notice);
}

// Until it is known which container instance we are; weather at the start must not matter later.
Task<> EcsPlatform::find_self() {
  own_task_ = co_await ecs::find_own_task(local_, aws::process_environment());
  if (options_.enable_rebalance_draining && !own_task_.arn.empty()) {
    place_.log.warning(
        "--enable-rebalance-draining in an ECS task: a recommendation's DRAINING makes ECS stop "
        "this task, too, and an interruption that comes later is then heard by nobody: run "
        "spotkeeper as a systemd unit (docs/ecs.md, Install), or leave the flag out",
        {{"own_task", own_task_.arn}});
  }
  for (int attempt = 1;; ++attempt) {
    auto found = co_await look();
    if (found) {
      co_await begin(std::move(*found));
      co_return;
    }
    if (is_said(attempt)) {
      place_.log.warning(
          "which container instance this host is, is not known yet: " + found.error().message,
          {{"attempt", std::to_string(attempt)}});
    }
    const Backoff backoff{.attempt = attempt,
                          .base = Millis(500),
                          .cap = heard_ ? Millis(2'000) : kLongestPause,
                          .jitter = random_unit()};
    co_await sleep_for(backoff_delay(backoff));
  }
}

void EcsPlatform::known(ecs::Instance instance) {
  const aws::ContainerInstance& facts = instance.facts;
  if (!heard_ && options_.node_name.empty() && !facts.ec2_instance_id.empty()) {
    host_ = core::HostId(facts.ec2_instance_id);
  }
  place_.log.info("container instance found", {{"container_instance", facts.arn},
                                               {"instance_id", facts.ec2_instance_id},
                                               {"cluster", instance.cluster},
                                               {"status", facts.status}});
  if (facts.status == "DRAINING" && !earlier_) {
    place_.log.warning("it is DRAINING already; without a notice nothing more is done");
  }
  ecs_->know(host_, std::move(instance));
}

// Who we are need not be confirmed for a notice that comes now; what an earlier life has left is
// known when ECS answers.
Task<> EcsPlatform::begin(ecs::Instance self) {
  const bool confirmed = !self.facts.status.empty();
  if (!confirmed) {
    known(self);
    co_await confirm(self);
  }
  co_await take_up(self);
  if (confirmed) known(std::move(self));
  if (earlier_) place_.hooks.resume(*earlier_);
}

Task<> EcsPlatform::confirm(ecs::Instance& self) {
  for (int attempt = 1;; ++attempt) {
    const Backoff backoff{
        .attempt = attempt, .base = Millis(1'000), .cap = kLongestPause, .jitter = random_unit()};
    co_await sleep_for(backoff_delay(backoff));
    auto found =
        co_await ecs::find_instance(aws_->client(), self.cluster, self.facts.arn, kLookAtMost);
    if (found) self = std::move(*found);
    if (found || found.error().kind == ErrorKind::kGone) co_return;
  }
}

// What an earlier life of ours has set DRAINING is gone on with, and taken back in its time. What
// is left of it on an instance that is ACTIVE again is removed, before somebody else's DRAINING is
// taken for ours.
Task<> EcsPlatform::take_up(ecs::Instance instance) {
  auto recorded = ecs::recorded_notice(instance.facts);
  if (!recorded || recorded->kind == core::NoticeKind::kManual) co_return;
  if (instance.facts.status == "DRAINING") {
    earlier_ = std::move(*recorded);
  } else if (instance.facts.status == "ACTIVE" && !heard_ && !options_.dry_run) {
    const std::string left = co_await ecs::forget_drain(aws_->client(), std::move(instance));
    if (!left.empty()) place_.log.warning(left);
  }
}

// An instance that its Auto Scaling group ends, or puts aside, is to have no new tasks, whatever
// becomes of the notice that was heard here.
Task<Result<std::string>> EcsPlatform::why_it_ends() {
  const auto said = co_await imds_.get(kTargetState);
  if (!said) {
    co_return std::unexpected(
        said.error().within("whether its Auto Scaling group ends this instance cannot be read"));
  }
  const std::string state = said->value_or("");
  if (state.empty() || state == "InService" || state == "Detached") co_return std::string();
  co_return fmt::format(
      "its Auto Scaling group takes this instance out (target-lifecycle-state {})", state);
}

Task<> EcsPlatform::ask_imds() {
  if (!instance_id_.empty()) co_return;
  const auto id = co_await imds_.get("/latest/meta-data/instance-id");
  if (id && *id) instance_id_ = **id;
}

// The region: what the environment says, else the container instance's own, else the instance's.
Task<Result<void>> EcsPlatform::reach_aws(std::string arn) {
  if (aws_) co_return Result<void>();
  const auto named = aws::region_of(aws::process_environment());
  if (!named) co_return std::unexpected(named.error());
  std::string region = named->value_or(region_of_arn(arn));
  if (region.empty()) {
    const auto said = co_await imds_.get("/latest/meta-data/placement/region");
    if (said && *said) region = **said;
  }
  if (region.empty()) co_return retryable("AWS_REGION is not set, and instance metadata is silent");
  AwsAccess::Way way{.tries = 1,
                     .metadata_url = options_.metadata_url,
                     .warn = [this](const std::string& what) { place_.log.warning(what); }};
  auto access = AwsAccess::make(place_.work, place_.clock, std::move(region), std::move(way));
  if (!access) co_return std::unexpected(access.error());
  aws_ = std::move(*access);
  place_.work.spawn("keep AWS credentials fresh", aws_->keep_fresh());
  place_.log.info("credentials for AWS",
                  {{"from", aws_->credentials_from()}, {"region", aws_->client().region()}});
  aws_->client().on_answer = [this](const aws::Service& service, const std::string& action,
                                    int status) {
    place_.counters.count(
        "aws_requests",
        {{"service", service.name}, {"action", action}, {"code", std::to_string(status)}});
  };
  ecs_ = std::make_unique<ecs::Ecs>(
      aws_->client(), place_.work, place_.clock, effect_options(), place_.hooks.tell,
      [this](const core::HostId& host, core::Level level, const std::string& text) {
        place_.log.write(level, text, {{"node", host.value}});
      });
  if (heard_) ecs_->watch(host_, *heard_);
  co_return Result<void>();
}

Task<Result<ecs::Instance>> EcsPlatform::look() {
  auto said = co_await ecs::introspect(local_, options_.ecs.introspection_url);
  if (said && said->instance_arn.empty()) said->instance_arn = own_task_.container_instance;
  if (!said && !own_task_.container_instance.empty()) {
    said = ecs::Introspection{.cluster = own_task_.cluster,
                              .instance_arn = own_task_.container_instance};
  }
  co_await ask_imds();
  std::string why = said ? "the ECS agent has not registered it" : said.error().message;
  const std::string arn = said ? said->instance_arn : std::string();
  const auto reached = co_await reach_aws(arn);
  if (!reached) co_return std::unexpected(reached.error());
  if (!arn.empty()) {
    auto found = co_await look_for(*said);
    if (found || found.error().kind != ErrorKind::kGone) co_return found;
    why = found.error().message;
  }
  std::string cluster = options_.ecs.cluster;
  if (cluster.empty()) cluster = said ? said->cluster : own_task_.cluster;
  if (instance_id_.empty()) co_return retryable(why + "; and instance metadata is silent");
  auto found = co_await ecs::find_instance(aws_->client(), std::move(cluster), instance_id_,
                                           kLookAtMost, ecs::silence_at(++searches_));
  if (!found) co_return std::unexpected(found.error().within(why));
  co_return found;
}

// What introspection says is confirmed as far as ECS answers: the host must be ours.
Task<Result<ecs::Instance>> EcsPlatform::look_for(ecs::Introspection said) {
  auto found =
      co_await ecs::find_instance(aws_->client(), said.cluster, said.instance_arn, kLookAtMost);
  if (!found && found.error().kind == ErrorKind::kGone) co_return found;
  if (!found) {
    place_.log.warning("the container instance is taken from introspection, unconfirmed: " +
                       found.error().message);
    ecs::Instance unconfirmed{.cluster = said.cluster, .facts = {}};
    unconfirmed.facts.arn = said.instance_arn;
    unconfirmed.facts.ec2_instance_id = instance_id_;
    co_return unconfirmed;
  }
  const std::string& id = found->facts.ec2_instance_id;
  if (!instance_id_.empty() && !id.empty() && id != instance_id_) {
    co_return std::unexpected(
        Error{.kind = ErrorKind::kGone,
              .message = fmt::format("introspection names {}, which is instance {}, and this is {}",
                                     ecs::short_id(said.instance_arn), id, instance_id_)});
  }
  co_return found;
}

}  // namespace

MakePlatform on_ecs(const config::AgentOptions& options) {
  return [&options](PlatformPlace place) -> std::unique_ptr<Platform> {
    return std::make_unique<EcsPlatform>(options, std::move(place));
  };
}

namespace {

Task<> probe(http::Client& client, std::string url, bool& answers) {
  const auto said = co_await ecs::introspect(client, std::move(url), Millis(1'000));
  answers = said.has_value();
}

}  // namespace

bool is_ecs_host(const config::AgentOptions& options) {
  boost::asio::io_context io(1);
  http::Client client(io.get_executor(), link_local());
  TaskGroup tasks(io.get_executor());
  bool answers = false;
  tasks.spawn("probe", probe(client, options.ecs.introspection_url, answers));
  io.run();
  return answers;
}

}  // namespace spotkeeper::app
