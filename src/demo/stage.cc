// SPDX-License-Identifier: Apache-2.0
#include "demo/stage.h"

#include <utility>

#include "async/timing.h"

namespace spotkeeper::demo {
namespace {

constexpr const char* kLoopback = "127.0.0.1";
constexpr size_t kBody = 3uz * 1024 * 1024;  // as the API server's own limit

constexpr Seconds kBadWeather{30};

// Notices name whole seconds.
Time whole_second(Time time) {
  return std::chrono::floor<Seconds>(time);
}

http::ServerOptions server_options() {
  http::ServerOptions options;
  options.address = kLoopback;
  options.max_body = kBody;
  options.max_header = 64uz * 1024;
  options.idle_timeout = Millis(300'000);
  options.stop_grace = Millis(50);
  return options;
}

std::string url_of(const std::unique_ptr<http::Server>& server) {
  return "http://" + std::string(kLoopback) + ":" + std::to_string(server->port());
}

}  // namespace

Stage::Stage(boost::asio::any_io_executor executor, const Scenario& scenario, double speed,
             Millis before_notice)
    : executor_(std::move(executor)),
      world_(world_options(), kSeed, whole_second(SteadyClock().now())) {
  build(world_, scenario);
  notice_at_ = whole_second(world_.now() + before_notice);
  deadline_ = notice_at_ + scenario.notice;
  world_.end_host(kDoomed, deadline_);
  if (scenario.weather) {
    // Replacements are on their way, and nobody has been asked to make room for them yet.
    const Time from = notice_at_ + scenario.notice / 24;
    api_weather_ = imds_weather_ = Weather(from, from + kBadWeather);
  }
  runner_ = std::make_unique<emulator::Runner>(executor_, world_, speed);
  skin_ = std::make_unique<emulator::ApiSkin>(executor_, world_, *runner_, emulator::SkinOptions());
  imds_ =
      std::make_unique<emulator::Imds>(*runner_, emulator::ImdsOptions{.instance_id = kInstance});
  imds_->announce(notice_at_, "terminate", deadline_);
}

Result<void> Stage::listen() {
  auto api = http::Server::listen(executor_, server_options(), [this](http::ServerRequest request) {
    return answer_api(std::move(request));
  });
  if (!api) return std::unexpected(api.error());
  auto imds = http::Server::listen(
      executor_, server_options(),
      [this](http::ServerRequest request) { return answer_imds(std::move(request)); });
  if (!imds) return std::unexpected(imds.error());
  api_server_ = std::move(*api);
  imds_server_ = std::move(*imds);
  return {};
}

void Stage::start(TaskGroup& tasks) {
  tasks.spawn("emulated API server", api_server_->run());
  tasks.spawn("emulated metadata service", imds_server_->run());
  tasks.spawn("emulated time", runner_->run());
}

std::string Stage::api_url() const {
  return url_of(api_server_);
}

std::string Stage::metadata_url() const {
  return url_of(imds_server_);
}

Task<http::ServerResponse> Stage::answer_api(http::ServerRequest request) {
  ++api_requests_;
  const Fare fare = api_weather_.next(runner_->now());
  if (fare == Fare::kThrottled || fare == Fare::kBroken) co_return bad_answer(fare);
  if (fare == Fare::kLate) co_await sleep_for(Weather::kHowLate);
  co_return skin_->answer(request);
}

Task<http::ServerResponse> Stage::answer_imds(http::ServerRequest request) {
  const Fare fare = imds_weather_.next(runner_->now());
  if (fare == Fare::kThrottled || fare == Fare::kBroken) co_return bad_answer(fare);
  if (fare == Fare::kLate) co_await sleep_for(Weather::kHowLate);
  co_return imds_->answer(request);
}

}  // namespace spotkeeper::demo
