// SPDX-License-Identifier: Apache-2.0
#include "kube/list.h"

#include <gtest/gtest.h>

#include "kube/objects.h"
#include "kube/script_server.h"

namespace spotkeeper::kube {
namespace {

std::string object(const std::string& name) {
  return R"({"metadata":{"name":")" + name + R"(","uid":"uid-)" + name + R"("}})";
}

std::string page(const std::string& items, const std::string& next = "") {
  return R"({"metadata":{"resourceVersion":"5","continue":")" + next + R"("},"items":[)" + items +
         "]}";
}

constexpr const char* kExpired =
    R"({"kind":"Status","code":410,"reason":"Expired","message":"too old"})";

class ListTest : public KubeTest {
 protected:
  // Names of all nodes, or the error's message.
  std::vector<std::string> names(Listing listing = {.path = "/api/v1/nodes", .resource = "nodes"}) {
    const auto nodes = await(list_all<Node>(
        *api_, std::move(listing), &decode_node,
        [this](const Error& error) { left_out_.push_back(error.message); }, limits_));
    if (!nodes) return {nodes.error().message};
    std::vector<std::string> found;
    for (const Node& node : *nodes) found.push_back(node.name);
    return found;
  }

  ListLimits limits_;
  std::vector<std::string> left_out_;
};

using Strings = std::vector<std::string>;

TEST_F(ListTest, ReadsEveryPage) {
  server_.on("continue=", {.body = page(object("c"))});
  server_.on("limit=2", {.pieces = {page(object("a") + "," + object("b"), "x=").substr(0, 90),
                                    page(object("a") + "," + object("b"), "x=").substr(90)}});
  EXPECT_EQ(
      names({.path = "/api/v1/nodes", .label_selector = "a=b", .resource = "nodes", .page = 2}),
      (Strings{"a", "b", "c"}));
  EXPECT_EQ(server_.seen[0].target, "/api/v1/nodes?labelSelector=a%3Db&limit=2");
  EXPECT_EQ(server_.seen[1].target, "/api/v1/nodes?labelSelector=a%3Db&limit=2&continue=x%3D");
}

TEST_F(ListTest, ExpiredTokenBeginsAgainWithoutPages) {
  server_.on("continue=", {.status = 410, .body = kExpired});
  server_.on("limit=", {.body = page(object("a"), "x")});
  server_.on("GET /api/v1/nodes", {.body = page(object("b") + "," + object("c"))});
  EXPECT_EQ(names(), (Strings{"b", "c"}));
  ASSERT_EQ(server_.seen.size(), 3U);
  EXPECT_EQ(server_.seen[2].target, "/api/v1/nodes");
}

TEST_F(ListTest, ExpiredAgainIsAnErrorAndNoLoop) {
  server_.on("continue=", {.status = 410, .body = kExpired});
  server_.on("limit=", {.body = page(object("a"), "x")});
  server_.on("GET /api/v1/nodes", {.status = 410, .body = kExpired});
  EXPECT_EQ(names(), Strings{"list nodes: 410 Gone: too old"});
  EXPECT_EQ(server_.seen.size(), 3U);
}

TEST_F(ListTest, LeavesOutWhatCannotBeRead) {
  limits_.max_object = 300;
  server_.on("limit=", {.body = page(object(std::string(300, 'x')) + ",{}," + object("a"))});
  EXPECT_EQ(names(), Strings{"a"});
  EXPECT_EQ(left_out_, (Strings{"list nodes: left out: an object of more than 300 bytes",
                                "node without metadata.name"}));
}

TEST_F(ListTest, FailuresAreErrors) {
  const std::pair<Reply, const char*> rows[] = {
      {{.status = 503}, "list nodes: 503 Service Unavailable"},
      {{.body = "<html>sign in</html>"}, "list nodes: the answer is not JSON"},
      {{.body = R"({"kind":"Status"})"}, "list nodes: the answer is not a list"},
      {{.body = page(object("a")).substr(0, 70)}, "list nodes: the answer is not JSON"},
  };
  for (const auto& [reply, message] : rows) server_.on("limit=", reply);
  for (const auto& [reply, message] : rows) EXPECT_EQ(names(), Strings{message});
}

TEST_F(ListTest, TokenThatDoesNotMoveIsAnErrorAndNoLoop) {
  server_.on("limit=", {.body = page(object("a"), "x")});
  EXPECT_EQ(names(),
            Strings{"list nodes: the server answered the continue token that it was given"});
  EXPECT_EQ(server_.seen.size(), 2U);
}

TEST_F(ListTest, PageThatTakesTooLongIsAnError) {
  limits_.page_time = Millis(50);
  server_.on("limit=", {.pieces = {R"({"items":[)"}, .then = Reply::Then::kHang});
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(names().size(), 1U);
  EXPECT_LT(std::chrono::steady_clock::now() - began, limits_.silence);
}

TEST_F(ListTest, OnlyWhatIsUrgentDoesNotWaitForTheServersPause) {
  server_.on("/load", {.status = 503, .headers = {{.name = "Retry-After", .value = "60"}}});
  server_.on("limit=", {.body = page(object("a"))});
  Call load;
  load.path = "/load";
  EXPECT_FALSE(await(api_->call(load)));
  EXPECT_EQ(names({.path = "/api/v1/nodes", .resource = "nodes", .urgent = true}), Strings{"a"});
  EXPECT_FALSE(collection_call({.path = "/api/v1/nodes", .resource = "nodes"}, "list", "").urgent);
}

TEST_F(ListTest, SilenceInTheMiddleIsAnError) {
  limits_.silence = Millis(50);
  server_.on("limit=", {.pieces = {R"({"items":[)"}, .then = Reply::Then::kHang});
  const Strings answer = names();
  ASSERT_EQ(answer.size(), 1U);
  EXPECT_TRUE(answer[0].ends_with("nothing came within 50 ms")) << answer[0];
}

}  // namespace
}  // namespace spotkeeper::kube
