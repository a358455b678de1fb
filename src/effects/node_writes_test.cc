// SPDX-License-Identifier: Apache-2.0
// Who may take a node from whom, against an API server that keeps one node.
#include "effects/node_writes.h"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <string>
#include <vector>

#include "http/server_fixture.h"

namespace spotkeeper::effects {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::StartsWith;

constexpr Time kStart = Time(Seconds(1'800'000'000));
constexpr const char* kSelf = "queue-0/a";
constexpr const char* kOther = "queue-1/b";

core::Notice spot(Seconds in = Seconds(120)) {
  return {.id = core::NoticeId("spot-itn-1"),
          .kind = core::NoticeKind::kSpotInterruption,
          .deadline = kStart + in,
          .source = "sqs"};
}
core::Notice rebalance() {
  return {.id = core::NoticeId("rebalance-1"),
          .kind = core::NoticeKind::kRebalanceRecommendation,
          .deadline = kNever,
          .source = "sqs"};
}

class NodeWritesTest : public http::ServerFixture {
 protected:
  void SetUp() override {
    serve(&NodeWritesTest::answer);
    kube::Access access;
    access.server = url();
    api_ = std::make_unique<kube::Api>(executor(), access);
  }

  static Task<http::ServerResponse> answer(NodeWritesTest* test, http::ServerRequest request) {
    http::ServerResponse response;
    response.content_type = "application/json";
    if (test->gone_) {
      response.status = 404;
      response.body = R"({"kind":"Status","status":"Failure","reason":"NotFound","code":404})";
    } else if (request.method == "PATCH") {
      const json::value patch = json::parse(request.body);
      if (patch.at("metadata").at("resourceVersion").as_string() !=
          std::to_string(test->version_)) {
        response.status = 409;
        response.body = R"({"kind":"Status","status":"Failure","reason":"Conflict","code":409})";
      } else {
        ++test->version_;
        test->patches_.push_back(patch);
        const auto& annotations = patch.at("metadata").at("annotations").as_object();
        test->record_ = std::string(annotations.at(kStateAnnotation).as_string());
        response.body = test->node_json();
      }
    } else {
      ++test->reads_;
      response.body = test->node_json();
      // Somebody else writes before we do.
      if (!test->meanwhile_.empty()) {
        ++test->version_;
        test->record_ = std::exchange(test->meanwhile_, {});
      }
    }
    co_return response;
  }

  std::string node_json() const {
    json::object metadata{
        {"name", "n1"}, {"uid", "u"}, {"resourceVersion", std::to_string(version_)}};
    if (!record_.empty()) metadata["annotations"] = json::object{{kStateAnnotation, record_}};
    return json::serialize(json::object{{"metadata", std::move(metadata)},
                                        {"spec", json::object{{"unschedulable", true}}}});
  }

  // As another process has marked it.
  static std::string record(const core::Notice& notice, const std::string& holder) {
    json::object record{
        {"v", 1},
        {"notice",
         {{"id", notice.id.value},
          {"kind", core::to_string(notice.kind)},
          {"deadline",
           notice.deadline == kNever ? json::value() : json::value(format_time_s(notice.deadline))},
          {"source", notice.source}}},
        {"started", format_time(kStart)},
        {"cordoned", true},
        {"taints", json::array()},
        {"labels", json::array()}};
    if (!holder.empty()) {
      record["holder"] = {{"id", holder}, {"renewed", format_time(kStart)}};
    }
    return json::serialize(record);
  }

  Result<Marked> mark(core::Notice notice, Seconds after = Seconds(0),
                      std::optional<kube::Node> known = std::nullopt) {
    Mark wanted{.notice = std::move(notice), .started = kStart + after, .holder = kSelf};
    return run(write_mark(*api_, "n1", std::move(wanted), holders_, std::move(known)));
  }
  Result<std::string> give_up(const std::string& holder) {
    return run(give_up_node(*api_, "n1", holder));
  }
  std::string holder() const {
    const json::value record = json::parse(record_);
    const auto* holder = record.as_object().if_contains("holder");
    return holder == nullptr ? "" : std::string(holder->at("id").as_string());
  }
  std::string notice() const {
    return std::string(json::parse(record_).at("notice").at("id").as_string());
  }

  std::unique_ptr<kube::Api> api_;
  Holders holders_{kSelf};
  int version_ = 7;
  std::string record_;
  std::string meanwhile_;  // the record that somebody writes after the next read
  bool gone_ = false;
  int reads_ = 0;
  std::vector<json::value> patches_;
};

TEST_F(NodeWritesTest, AFreeNodeIsOurs) {
  const auto marked = mark(spot());
  ASSERT_TRUE(marked) << marked.error().message;
  EXPECT_EQ(holder(), kSelf);
  EXPECT_TRUE(marked->node);
}

TEST_F(NodeWritesTest, AStrongerNoticeTakesAHeldNodeOverAtOnce) {
  record_ = record(rebalance(), kOther);
  const auto marked = mark(spot());
  ASSERT_TRUE(marked) << marked.error().message;
  EXPECT_THAT(marked->remark, StartsWith("taken over from queue-1/b: "));
  EXPECT_EQ(holder(), kSelf);
  EXPECT_EQ(notice(), "spot-itn-1");
}

TEST_F(NodeWritesTest, SoDoesOneOfAClearlyNearerEnd) {
  record_ = record(spot(Seconds(900)), kOther);
  ASSERT_TRUE(mark(spot(Seconds(120))));
  EXPECT_EQ(holder(), kSelf);
}

TEST_F(NodeWritesTest, AnEqualOrWeakerOneWaits) {
  for (const core::Notice& held : {spot(), spot(Seconds(125)), spot(Seconds(60))}) {
    record_ = record(held, kOther);
    const auto marked = mark(spot());
    ASSERT_FALSE(marked);
    EXPECT_TRUE(marked.error().held);
    EXPECT_THAT(marked.error().message, HasSubstr("queue-1/b drains it"));
    EXPECT_GT(marked.error().retry_after_s, 0);
  }
  record_ = record(spot(), kOther);
  EXPECT_FALSE(mark(rebalance()));
  EXPECT_TRUE(patches_.empty()) << "nothing is written";
}

TEST_F(NodeWritesTest, ADeadHolderIsTakenOverWhateverItsNotice) {
  record_ = record(spot(), kOther);
  EXPECT_FALSE(mark(spot()));
  EXPECT_FALSE(mark(spot(), kHolderLease - Seconds(1)));
  ASSERT_TRUE(mark(spot(), kHolderLease));
  EXPECT_EQ(holder(), kSelf);
}

TEST_F(NodeWritesTest, AHolderWhoRenewsIsNotDead) {
  record_ = record(spot(), kOther);
  EXPECT_FALSE(mark(spot()));
  json::value renewed = json::parse(record_);
  renewed.at("holder").at("renewed") = format_time(kStart + Seconds(20));
  record_ = json::serialize(renewed);
  EXPECT_FALSE(mark(spot(), kHolderLease)) << "that is new to us";
  EXPECT_FALSE(mark(spot(), kHolderLease + kHolderLease - Seconds(1)));
  EXPECT_TRUE(mark(spot(), kHolderLease + kHolderLease));
}

TEST_F(NodeWritesTest, WhoIsTakenOverLeavesItToTheStrongerOne) {
  ASSERT_TRUE(mark(rebalance()));
  record_ = record(spot(), kOther);
  ++version_;
  const auto renewed = mark(rebalance(), Seconds(20));
  ASSERT_FALSE(renewed);
  EXPECT_TRUE(renewed.error().held);
  EXPECT_EQ(holder(), kOther);
}

// Two hear the same notice at once: one write is first, and the other sees it.
TEST_F(NodeWritesTest, OfTwoEqualOnesTheFirstWriteWins) {
  meanwhile_ = record(spot(), kOther);
  const auto marked = mark(spot());
  ASSERT_FALSE(marked);
  EXPECT_TRUE(marked.error().held);
  EXPECT_EQ(reads_, 2) << "read anew after the conflict";
  EXPECT_EQ(holder(), kOther);
}

TEST_F(NodeWritesTest, WhatWeHoldIsGivenUp) {
  record_ = record(spot(), kSelf);
  const auto done = give_up(kSelf);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(*done, "given up by queue-0/a");
  ASSERT_EQ(patches_.size(), 1U);
  EXPECT_FALSE(patches_[0].as_object().contains("spec")) << "it stays cordoned";
  EXPECT_EQ(holder(), "");
  EXPECT_EQ(notice(), "spot-itn-1") << "for who comes next";
  EXPECT_EQ(*give_up(kSelf), "") << "once";
  Holders next{kOther};
  Mark wanted{.notice = spot(), .started = kStart, .holder = kOther};
  ASSERT_TRUE(run(write_mark(*api_, "n1", std::move(wanted), next))) << "who comes next, at once";
  EXPECT_EQ(holder(), kOther);
}

TEST_F(NodeWritesTest, WhatOthersHoldIsNot) {
  for (const std::string& each : {record(spot(), kOther), record(spot(), ""), std::string()}) {
    record_ = each;
    const auto done = give_up(kSelf);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(*done, "");
  }
  EXPECT_TRUE(patches_.empty());
}

TEST_F(NodeWritesTest, WhatIsTakenFromUsMeanwhileIsNotGivenUp) {
  record_ = record(rebalance(), kSelf);
  meanwhile_ = record(spot(), kOther);
  EXPECT_EQ(*give_up(kSelf), "");
  EXPECT_EQ(holder(), kOther);
}

TEST_F(NodeWritesTest, ANodeThatIsGoneIsAnError) {
  gone_ = true;
  const auto done = give_up(kSelf);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kGone);
}

}  // namespace
}  // namespace spotkeeper::effects
