// SPDX-License-Identifier: Apache-2.0
// The consumer against a queue of our own.
#include "sources/sqs_consumer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "aws/cloud_fixture.h"

namespace spotkeeper::sources {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using Changed = std::pair<std::string, int64_t>;  // receipt, visibility

class SqsConsumerTest : public aws::CloudFixture {
 protected:
  void TearDown() override {
    over_ = true;
    CloudFixture::TearDown();
  }

  SqsConsumer& consumer(SqsConsumer::Options options = {}) {
    options.queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/notices";
    consumer_ = std::make_unique<SqsConsumer>(
        tasks_, client(), scaled_, options,
        SqsConsumer::Hooks{.message =
                               [this](const aws::SqsMessage& message) {
                                 told_.push_back(message.id);
                                 if (at_once_) consumer_->settle(message.id, *at_once_);
                               },
                           .polled = [this](bool well) { ++polled_[well]; },
                           .failed = [this](const Error&, int n) { failed_.push_back(n); }});
    return *consumer_;
  }
  void send(const std::string& id) { visible_.push_back({id, "r-" + id}); }
  void send_many(int many) {
    for (int i = 0; i < many; ++i) send(std::to_string(i));
  }
  void start_and_hear(size_t many) {
    consumer_->start();
    run_until([&] { return told_.size() >= many; });
  }

  Task<http::ServerResponse> answer_to(std::string action, std::string body) override {
    http::ServerResponse response;
    response.content_type = "application/x-amz-json-1.0";
    const json::value asked = json::parse(body);
    while (silent_.contains(action) && !over_) co_await sleep_for(Millis(2));
    if (down_.contains(action)) {
      response.status = 500;
      response.body = R"({"__type":"InternalError","message":"no"})";
    } else if (action == "ReceiveMessage") {
      response.body = co_await receive(asked.at("WaitTimeSeconds").as_int64() > 0);
    } else {
      json::array done;
      json::array failed;
      for (const json::value& entry : asked.at("Entries").as_array()) {
        const std::string receipt(entry.at("ReceiptHandle").as_string());
        if (refused_.contains(receipt)) {
          ++tries_;
          failed.push_back(json::object{
              {"Id", entry.at("Id")}, {"Code", "x"}, {"SenderFault", refused_.at(receipt)}});
          continue;
        }
        if (action == "DeleteMessageBatch") {
          deleted_.push_back(receipt);
        } else {
          changed_.emplace_back(receipt, entry.at("VisibilityTimeout").as_int64());
        }
        done.push_back(json::object{{"Id", entry.at("Id")}});
      }
      response.body = json::serialize(json::object{{"Successful", done}, {"Failed", failed}});
    }
    co_return response;
  }

  // A long poll, or a look.
  Task<std::string> receive(bool wait) {
    ++receiving_;
    while (wait && visible_.empty() && !over_) co_await sleep_for(Millis(2));
    most_receiving_ = std::max(most_receiving_, receiving_);
    co_await sleep_for(Millis(20));
    json::array messages;
    while (!visible_.empty() && messages.size() < 10) {
      const auto [id, receipt] = visible_.front();
      visible_.pop_front();
      messages.push_back({{"MessageId", id},
                          {"ReceiptHandle", receipt},
                          {"Body", "x"},
                          {"Attributes", json::object{{"ApproximateReceiveCount", "1"}}}});
    }
    --receiving_;
    co_return json::serialize(json::object{{"Messages", messages}});
  }

  std::deque<std::pair<std::string, std::string>> visible_;  // id, receipt
  std::set<std::string> down_;                               // actions that fail
  std::set<std::string> silent_;                             // actions that are not answered
  std::map<std::string, bool> refused_;                      // receipts; for good
  int tries_ = 0;                                            // to change one of those
  int receiving_ = 0;
  int most_receiving_ = 0;
  bool over_ = false;
  std::vector<std::string> deleted_;
  std::vector<Changed> changed_;
  std::vector<std::string> told_;
  std::optional<Fate> at_once_;  // how each is settled when it is heard
  std::map<bool, int> polled_;
  std::vector<int> failed_;
  std::unique_ptr<SqsConsumer> consumer_;
};

TEST_F(SqsConsumerTest, ABacklogIsReceivedBySeveralAtOnce) {
  send_many(200);
  consumer();
  start_and_hear(200);
  EXPECT_GE(most_receiving_, 3);
  EXPECT_LE(most_receiving_, 7) << "six beside the long poll";
  EXPECT_EQ(std::set<std::string>(told_.begin(), told_.end()).size(), 200U);
  EXPECT_EQ(consumer_->in_hand(), 200U);
  EXPECT_THAT(deleted_, IsEmpty()) << "all are ours until they are settled";
  // One long poll is left, and nobody looks in vain.
  pass(Millis(300));
  EXPECT_EQ(receiving_, 1);
  const int asked = count("ReceiveMessage");
  pass(Millis(100));
  EXPECT_LE(count("ReceiveMessage"), asked + 1);
}

TEST_F(SqsConsumerTest, SoIsOneOfWhichNothingIsKept) {
  send_many(200);
  at_once_ = Fate::kDone;
  consumer();
  start_and_hear(200);
  EXPECT_GE(most_receiving_, 3);
  run_until([&] { return deleted_.size() == 200; });
  EXPECT_LE(count("ReceiveMessage"), 40);
}

TEST_F(SqsConsumerTest, WhatIsDoneIsDeletedTogether) {
  send_many(20);
  consumer();
  start_and_hear(20);
  for (const std::string& id : told_) consumer_->settle(id, Fate::kDone);
  run_until([&] { return deleted_.size() == 20; });
  EXPECT_EQ(count("DeleteMessageBatch"), 2) << "in tens";
  EXPECT_EQ(consumer_->in_hand(), 0U);
  EXPECT_THAT(changed_, IsEmpty());
}

TEST_F(SqsConsumerTest, OneOfSeveralThingsIsDeletedWhenAllAreDone) {
  send("a");
  consumer();
  start_and_hear(1);
  consumer_->holds("a", 2);
  consumer_->settle("a", Fate::kDone);
  pass(Millis(200));
  EXPECT_THAT(deleted_, IsEmpty());
  consumer_->settle("a", Fate::kDone);
  run_until([&] { return !deleted_.empty(); });
  EXPECT_THAT(deleted_, ElementsAre("r-a"));
}

TEST_F(SqsConsumerTest, WhatIsLeftIsSeenAgainSoonAndPoisonLater) {
  send("left");
  send("poison");
  consumer();
  start_and_hear(2);
  consumer_->settle("left", Fate::kLeft);
  consumer_->settle("poison", Fate::kPoison);
  run_until([&] { return !changed_.empty(); });
  pass(Millis(200));
  EXPECT_THAT(changed_, ElementsAre(Changed("r-left", 1)));
  EXPECT_THAT(deleted_, IsEmpty());
  EXPECT_EQ(consumer_->in_hand(), 0U);
}

TEST_F(SqsConsumerTest, WhatIsInHandIsExtendedByItsNewestReceipt) {
  send("a");
  consumer({.visibility = Seconds(1)});
  start_and_hear(1);
  run_until([&] { return changed_.size() == 2; });
  EXPECT_THAT(changed_, ElementsAre(Changed("r-a", 1), Changed("r-a", 1)));
  visible_.push_back({"a", "r-again"});
  run_until([&] { return changed_.back().first == "r-again"; });
  EXPECT_EQ(told_.size(), 1U) << "it says nothing new";
  consumer_->settle("a", Fate::kDone);
  run_until([&] { return !deleted_.empty(); });
  EXPECT_THAT(deleted_, ElementsAre("r-again"));
}

TEST_F(SqsConsumerTest, AnExtensionThatFailsIsMadeUpForInTime) {
  scale_time(10);
  send_many(25);
  down_ = {"ChangeMessageVisibilityBatch"};
  consumer({.visibility = Seconds(20)});
  start_and_hear(25);
  pass(Seconds(15));
  EXPECT_GE(failed_.size(), 3U);
  EXPECT_EQ(static_cast<size_t>(count("ChangeMessageVisibilityBatch")), failed_.size())
      << "the first that fails ends it";
  EXPECT_THAT(changed_, IsEmpty());
  down_.clear();
  pass(Seconds(4));
  EXPECT_EQ(changed_.size(), 25U) << "before they are visible, each once";
}

TEST_F(SqsConsumerTest, SoIsOneOfSomeOfThem) {
  scale_time(10);
  send_many(3);
  refused_ = {{"r-0", false}, {"r-1", true}};
  consumer({.visibility = Seconds(20)});
  start_and_hear(3);
  pass(Seconds(15));
  EXPECT_THAT(changed_, ElementsAre(Changed("r-2", 20)));
  EXPECT_GE(tries_, 4) << "one of them is asked for again";
  EXPECT_THAT(failed_, IsEmpty());
  refused_.clear();
  pass(Seconds(4));
  EXPECT_THAT(changed_, ElementsAre(Changed("r-2", 20), Changed("r-0", 20)))
      << "what is refused for good is not asked for so soon";
}

TEST_F(SqsConsumerTest, ADeletionThatIsNotAnsweredHoldsUpNoExtension) {
  send("a");
  send("b");
  silent_ = {"DeleteMessageBatch"};
  consumer({.visibility = Seconds(1)});
  start_and_hear(2);
  consumer_->settle("a", Fate::kDone);
  run_until([&] { return count("DeleteMessageBatch") == 1; });
  run_until([&] { return changed_.size() == 2; });
  EXPECT_THAT(changed_, ElementsAre(Changed("r-b", 1), Changed("r-b", 1)));
  EXPECT_THAT(deleted_, IsEmpty());
}

TEST_F(SqsConsumerTest, FailuresAreToldAndBackOff) {
  down_ = {"ReceiveMessage"};
  send("a");
  consumer();
  consumer_->start();
  pass(Millis(1'000));
  EXPECT_GE(failed_.size(), 2U);
  EXPECT_LE(count("ReceiveMessage"), 4) << "after at least 250 and 500 ms";
  for (size_t i = 0; i < failed_.size(); ++i) EXPECT_EQ(failed_[i], static_cast<int>(i) + 1);
  EXPECT_EQ(polled_[true], 0);
  down_.clear();
  run_until([&] { return told_.size() == 1; });
  EXPECT_GE(polled_[true], 1);
}

TEST_F(SqsConsumerTest, ADeletionThatFailsIsMadeUpForWhenItIsSeenAgain) {
  down_ = {"DeleteMessageBatch"};
  send("a");
  consumer();
  start_and_hear(1);
  consumer_->settle("a", Fate::kDone);
  run_until([&] { return !failed_.empty(); });
  EXPECT_EQ(consumer_->in_hand(), 0U);
  down_.clear();
  send("a");
  run_until([&] { return told_.size() == 2; });
  consumer_->settle("a", Fate::kDone);
  run_until([&] { return !deleted_.empty(); });
}

TEST_F(SqsConsumerTest, ADryRunDeletesNothing) {
  send("a");
  at_once_ = Fate::kDone;
  consumer({.visibility = Seconds(30), .read_only = true});
  start_and_hear(1);
  run_until([&] { return !changed_.empty(); });
  EXPECT_THAT(changed_, ElementsAre(Changed("r-a", 30)));
  EXPECT_THAT(deleted_, IsEmpty());
}

TEST_F(SqsConsumerTest, AtTheEndWhatIsInHandIsGivenToOthers) {
  send_many(3);
  consumer();
  start_and_hear(3);
  consumer_->stop();
  consumer_->settle("1", Fate::kDone);
  run(consumer_->give_back());
  EXPECT_THAT(deleted_, ElementsAre("r-1"));
  EXPECT_THAT(changed_, UnorderedElementsAre(Changed("r-0", 0), Changed("r-2", 0)));
  EXPECT_EQ(consumer_->in_hand(), 0U);
}

}  // namespace
}  // namespace spotkeeper::sources
