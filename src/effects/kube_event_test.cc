// SPDX-License-Identifier: Apache-2.0
#include "effects/kube_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "effects/request_queue.h"

namespace spotkeeper::effects {
namespace {

using testing::StartsWith;

const Time kNoon(Seconds(1'795'255'200));

TEST(EventBook, WritesAnEventAsKubectlShowsIt) {
  EventBook book("n1");
  KubeEvent event = about_node("n1", "CordonAndDrain", "Node successfully cordoned and drained");
  event.annotations = {{"region", "us-east-1"}};
  const EventWrite write = book.write(event, kNoon);
  EXPECT_FALSE(write.again);
  EXPECT_EQ(write.ns, "default") << "a node has no namespace";
  EXPECT_THAT(write.name, StartsWith("n1."));
  const boost::json::value body = write.body;
  EXPECT_EQ(text_at(body, {"metadata", "annotations", "region"}), "us-east-1");
  EXPECT_EQ(text_at(body, {"involvedObject", "uid"}), "n1") << "as kubectl describe node asks";
  EXPECT_EQ(find(body, {"involvedObject", "namespace"}), nullptr);
  EXPECT_EQ(text_at(body, {"type"}), "Normal");
  EXPECT_EQ(text_at(body, {"source", "component"}), "aws-node-termination-handler");
  EXPECT_EQ(number_at(body, {"count"}), 1);
}

TEST(EventBook, TheSameAgainIsCountedOn) {
  EventBook book("n1");
  const KubeEvent event = about_node("n1", "MonitorError", "x");
  const std::string name = book.write(event, kNoon).name;
  const EventWrite again = book.write(event, kNoon + Seconds(5));
  EXPECT_TRUE(again.again);
  EXPECT_EQ(again.name, name);
  EXPECT_EQ(number_at(again.body, {"count"}), 2);
  EXPECT_EQ(text_at(again.body, {"lastTimestamp"}), format_time_s(kNoon + Seconds(5)));
  EXPECT_FALSE(book.write(about_node("n1", "MonitorError", "y"), kNoon).again);
  book.forget(event);
  EXPECT_FALSE(book.write(event, kNoon).again) << "it had expired on the server";
}

TEST(EventBook, RemembersSoMany) {
  EventBook book("n1");
  for (size_t i = 0; i <= EventBook::kMost; ++i) {
    book.write(about_node("n1", "A", std::to_string(i)), kNoon);
  }
  EXPECT_FALSE(book.write(about_node("n1", "A", "0"), kNoon).again) << "forgotten";
  EXPECT_TRUE(book.write(about_node("n1", "A", std::to_string(EventBook::kMost)), kNoon).again);
}

TEST(EventBook, NamesAndMessagesKeepTheApisLimits) {
  EventBook book("n1");
  kube::Pod pod;
  pod.ns = "ns";
  pod.name = std::string(253, 'p');
  pod.uid = "u";
  const std::string umlauts = [] {
    std::string text = "x";
    for (int i = 0; i < 1000; ++i) text += "ü";
    return text;
  }();
  const EventWrite write = book.write(about_pod(pod, "PodEviction", umlauts), kNoon);
  EXPECT_LE(write.name.size(), 253U);
  EXPECT_EQ(write.ns, "ns");
  EXPECT_EQ(text_at(write.body, {"message"}).size(), 1023U) << "no character is cut in two";
}

core::Action ask(Time by) {
  core::Action action;
  action.kind = core::ActionKind::kAsk;
  action.by = by;
  return action;
}

TEST(RequestQueue, SparesNothingWhileADrainHasSomethingToSend) {
  RequestQueue queue({.per_s = 10, .burst = 10});
  EXPECT_TRUE(queue.may_spare(kNoon));
  queue.push(ask(kNoon + Seconds(60)), kNoon);
  EXPECT_FALSE(queue.may_spare(kNoon)) << "somebody waits";
  EXPECT_TRUE(queue.pop(kNoon));
  EXPECT_TRUE(queue.may_spare(kNoon));
  queue.charge(4, kNoon);
  EXPECT_FALSE(queue.may_spare(kNoon)) << "half of the burst is kept for drains";
  EXPECT_TRUE(queue.may_spare(kNoon + Seconds(1)));
  queue.pause(kNoon + Seconds(9));
  EXPECT_FALSE(queue.may_spare(kNoon + Seconds(8))) << "the server asks for a pause";
}

TEST(RequestQueue, SparesWithTheSmallestBurstToo) {
  EXPECT_TRUE(RequestQueue({.per_s = 1, .burst = 1}).may_spare(kNoon));
}

}  // namespace
}  // namespace spotkeeper::effects
