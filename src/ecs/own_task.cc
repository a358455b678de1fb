// SPDX-License-Identifier: Apache-2.0
#include "ecs/own_task.h"

#include <boost/json/parse.hpp>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/json.h"

namespace spotkeeper::ecs {
namespace {

constexpr Millis kAtMost{1'000};
constexpr size_t kMaxBody = size_t{256} * 1024;

}  // namespace

OwnTask decode_own_task(const std::string& body) {
  boost::system::error_code wrong;
  const boost::json::value root = boost::json::parse(body, wrong);
  if (wrong) return {};
  return {.arn = text_at(root, {"TaskARN"}),
          .cluster = text_at(root, {"Cluster"}),
          .container_instance = text_at(root, {"ContainerInstanceARN"})};
}

Task<OwnTask> find_own_task(http::Client& client, aws::Environment environment) {
  OwnTask own;
  if (const auto file = environment("ECS_CONTAINER_METADATA_FILE")) {
    std::ifstream in(*file);
    own = decode_own_task({std::istreambuf_iterator<char>(in), {}});
  }
  const auto url = environment("ECS_CONTAINER_METADATA_URI_V4");
  if (!url || url->empty() || !own.arn.empty()) co_return own;
  http::Request request;
  request.url = *url + "/task";
  request.connect_timeout = request.timeout = kAtMost;
  request.max_body = kMaxBody;
  const auto response = co_await client.send(std::move(request));
  if (!response || !response->ok()) co_return own;
  OwnTask said = decode_own_task(response->body);
  said.container_instance = own.container_instance;
  co_return said;
}

}  // namespace spotkeeper::ecs
