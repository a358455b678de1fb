// SPDX-License-Identifier: Apache-2.0
// What the agent believes to be AWS and its cluster: an emulated world behind the real API's HTTP,
// and the metadata service of host n1, on free ports of 127.0.0.1, on one clock that runs `speed`
// times as fast as the reader's. One owner; must outlive the tasks it starts.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "async/task_group.h"
#include "demo/scenario.h"
#include "demo/weather.h"
#include "emulator/imds.h"
#include "emulator/runner.h"
#include "emulator/skin.h"
#include "http/server.h"

namespace spotkeeper::demo {

class Stage {
 public:
  // Everything of the scenario runs and is Ready. The notice comes `before_notice` from now.
  Stage(boost::asio::any_io_executor executor, const Scenario& scenario, double speed,
        Millis before_notice);

  // Ports that cannot be had are the only failure.
  Result<void> listen();
  // Serves and lets time pass until the group is cancelled.
  void start(TaskGroup& tasks);

  world::World& world() { return world_; }
  const world::World& world() const { return world_; }
  const Clock& clock() const { return *runner_; }
  Time notice_at() const { return notice_at_; }
  Time deadline() const { return deadline_; }

  std::string api_url() const;
  std::string metadata_url() const;

  uint64_t api_requests() const { return api_requests_; }
  const Weather& api_weather() const { return api_weather_; }

 private:
  Task<http::ServerResponse> answer_api(http::ServerRequest request);
  Task<http::ServerResponse> answer_imds(http::ServerRequest request);

  boost::asio::any_io_executor executor_;
  world::World world_;
  Time notice_at_;
  Time deadline_;
  Weather api_weather_;
  Weather imds_weather_;
  std::unique_ptr<emulator::Runner> runner_;
  std::unique_ptr<emulator::ApiSkin> skin_;
  std::unique_ptr<emulator::Imds> imds_;
  std::unique_ptr<http::Server> api_server_;
  std::unique_ptr<http::Server> imds_server_;
  uint64_t api_requests_ = 0;
};

}  // namespace spotkeeper::demo
