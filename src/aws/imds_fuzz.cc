// SPDX-License-Identifier: Apache-2.0
// Whatever answers at the address of the metadata service, through the real HTTP client: status
// lines, headers (Date, the token's life), tokens, bodies. The input is the answers, a byte 0x1e
// between them, first that to the token request; each is sent and the connection closed.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "async/fuzz_loop.h"
#include "aws/imds.h"
#include "base/fuzz.h"
#include "http/test_server.h"

namespace spotkeeper {
namespace {

constexpr size_t kLargestBody = size_t{64} * 1024;  // as imds.cc has it

// What a request of ours may consist of: no answer gets more than a token into it.
void check_request(std::string_view request) {
  must(request.ends_with("\r\n\r\n"), "a request has a head and no body");
  request.remove_suffix(2);
  while (!request.empty()) {
    const std::string_view line = request.substr(0, request.find("\r\n"));
    request.remove_prefix(line.size() + 2);
    must(is_one_line(line), "a header is a line");
    const bool known = std::ranges::any_of(
        std::vector<std::string_view>{
            "GET /latest/meta-data/instance-id HTTP/1.1", "PUT /latest/api/token HTTP/1.1",
            "Host: 127.0.0.1:", "User-Agent: spotkeeper/", "Accept: */*", "Content-Length: 0",
            "X-aws-ec2-metadata-token: ", "X-aws-ec2-metadata-token-ttl-seconds: 21600"},
        [line](std::string_view begin) { return line.starts_with(begin); });
    must(known, "a request has the headers that we know");
  }
}

// One event loop and one server for all inputs; never ended.
struct World {
  FuzzLoop loop;
  std::vector<std::string> answers;  // those still to be given, last first
  http::ScriptServer server{loop.tasks(), [this](http::Peer& peer) { return serve(this, peer); }};

  static Task<> serve(World* world, http::Peer& peer) {
    const std::string request = co_await peer.request();
    check_request(request);
    if (world->answers.empty()) co_return;
    const std::string answer = std::move(world->answers.back());
    world->answers.pop_back();
    co_await peer.write(answer);
  }
};

void check(const aws::ImdsClient& imds, const Result<std::optional<std::string>>& result) {
  if (!result) {
    must(is_one_line(result.error().message), "the message is one line");
    must(result.error().message.starts_with("IMDS: "), "the message names the service");
  } else if (*result) {
    must((*result)->size() <= kLargestBody, "a body has its limit");
  }
  if (!imds.time()) return;
  Time again{};
  must(parse_time(format_time(imds.time()->date), again) && again == imds.time()->date,
       "a date can be written down");
}

}  // namespace

void fuzz(std::string_view input) {
  static World& world = *new World;
  world.answers.clear();
  while (!input.empty()) {
    const std::string_view answer = input.substr(0, input.find('\x1e'));
    input.remove_prefix(std::min(answer.size() + 1, input.size()));
    world.answers.insert(world.answers.begin(), std::string(answer));
  }
  ManualClock clock(Time(Seconds(1'795'255'200)));
  {
    http::Client client(world.loop.executor(), {.use_environment_proxy = false});
    aws::ImdsClient imds(client, {.base_url = world.server.url(""), .tries = 1}, clock);
    for (int polls = 0; polls < 3; ++polls) {
      check(imds, world.loop.run(imds.get("/latest/meta-data/instance-id")));
      clock.advance(std::chrono::minutes(2));
    }
  }
  world.loop.settle(1);  // the server's own task
}

}  // namespace spotkeeper
