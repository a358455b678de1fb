// SPDX-License-Identifier: Apache-2.0
#include "emulator/serve.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>

#include "async/task_group.h"

namespace spotkeeper::emulator {

namespace asio = boost::asio;

namespace {

// Clients of a test fleet keep their connections open.
constexpr size_t kConnections = 10'000;
constexpr size_t kBody = 3uz * 1024 * 1024;  // as the API server's own limit

template <class T>
bool parse_number(const std::string& text, T& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc() && end == text.data() + text.size();
}

Task<http::ServerResponse> handle(ApiSkin* skin, http::ServerRequest request) {
  co_return skin->answer(request);
}

Task<> until_signal(asio::signal_set* signals, TaskGroup* group) {
  co_await signals->async_wait(asio::use_awaitable);
  group->cancel();
}

}  // namespace

Result<ServeOptions> parse_serve_options(const std::vector<std::string>& arguments) {
  ServeOptions options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& flag = arguments[i];
    if (i + 1 == arguments.size()) return permanent(flag + ": a value must follow");
    const std::string& value = arguments[++i];
    bool good = true;
    if (flag == "--port") {
      good = parse_number(value, options.port);
    } else if (flag == "--speed") {
      good = parse_number(value, options.speed) && options.speed > 0;
    } else if (flag == "--seed") {
      good = parse_number(value, options.seed);
    } else if (flag == "--administrator") {
      options.skin.administrator = value;
    } else if (flag == "--audit-log") {
      options.skin.audit_log = value;
    } else if (flag == "--deny") {
      const size_t slash = value.find('/');
      good = slash != std::string::npos && slash > 0 && slash + 1 < value.size();
      if (good) options.skin.denied.emplace(value.substr(0, slash), value.substr(slash + 1));
    } else {
      return permanent(flag + ": there is no such option");
    }
    if (!good) return permanent(flag + " " + value + ": not a value it takes");
  }
  return options;
}

int serve_world(ServeOptions options) {
  asio::io_context io{1};
  const auto executor = io.get_executor();
  const auto complain = [](const std::string& what) {
    fmt::print(stderr, "spotkeeper-world: {}\n", what);
  };
  world::World world({}, options.seed, SteadyClock().now());
  Runner runner(executor, world, options.speed);
  ApiSkin skin(executor, world, runner, std::move(options.skin));
  http::ServerOptions server_options;
  server_options.address = "127.0.0.1";
  server_options.port = options.port;
  server_options.max_body = kBody;
  server_options.max_header = 64uz * 1024;
  server_options.max_connections = kConnections;
  server_options.idle_timeout = Millis(300'000);
  server_options.on_failure = complain;
  auto server = http::Server::listen(
      executor, std::move(server_options),
      [&skin](http::ServerRequest request) { return handle(&skin, std::move(request)); });
  if (!server) {
    complain(server.error().message);
    return 1;
  }
  asio::signal_set signals(io, SIGTERM, SIGINT);
  TaskGroup tasks(executor, complain);
  tasks.spawn("server", (*server)->run());
  tasks.spawn("runner", runner.run());
  tasks.spawn("signals", until_signal(&signals, &tasks));
  fmt::print("{{\"url\": \"http://127.0.0.1:{}\"}}\n", (*server)->port());
  std::fflush(stdout);
  io.run();
  return tasks.first_failure().empty() ? 0 : 1;
}

}  // namespace spotkeeper::emulator
