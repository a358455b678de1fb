// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "world/test_world.h"

namespace spotkeeper::world {
namespace {

TEST(WorldApi, GraceIsShortenedAndNeverProlonged) {
  TestWorld t;
  t.make(make_pod("g", "n1", {.behaviour = {.ends_after = Seconds(25)}}));
  t.run(Seconds(1));
  const auto grace = [&](std::optional<Seconds> wanted) {
    EXPECT_TRUE(t.world.remove(Kind::kPod, {"default", "g"}, {.grace = wanted}));
    return t.world.find<Pod>({"default", "g"})->meta.deletion_grace;
  };
  EXPECT_EQ(grace(Seconds(20)), Seconds(20));
  const uint64_t version = t.world.version();
  EXPECT_EQ(grace(Seconds(60)), Seconds(20));
  EXPECT_EQ(grace(std::nullopt), Seconds(20));
  EXPECT_EQ(t.world.version(), version) << "nothing was written";
  EXPECT_EQ(grace(Seconds(10)), Seconds(10));
  const Ptr<Pod> pod = t.world.find<Pod>({"default", "g"});
  EXPECT_EQ(*pod->meta.deletion, t.world.now() + Seconds(10));
  EXPECT_EQ(pod->meta.generation, 2);
  t.run(Millis(10'200));
  EXPECT_EQ(t.world.find<Pod>({"default", "g"}), nullptr);
  EXPECT_TRUE(t.story(pod).killed);
}

TEST(WorldApi, PreconditionsOfDeletionAndPatch) {
  TestWorld t;
  const Ptr<Pod> pod = t.make(make_pod("p", "n1"));
  const Key key = pod->meta.key();
  Answer<Ptr<Object>> removed =
      t.world.remove(Kind::kPod, key, {.only_if = {.uid = Uid::parse("abc")}});
  EXPECT_EQ(removed.error().code, 409);
  removed = t.world.remove(Kind::kPod, key, {.only_if = {.version = 1}});
  EXPECT_EQ(removed.error().code, 409);
  const auto touch = [](Pod& each) { each.meta.labels.set("x", "y"); };
  Answer<Ptr<Pod>> patched = t.world.update<Pod>(key, {.uid = Uid{99}}, touch);
  EXPECT_EQ(patched.error().code, 422);
  EXPECT_EQ(patched.error().causes[0].field, "metadata.uid");
  patched = t.world.update<Pod>(key, {.version = 1}, touch);
  EXPECT_EQ(patched.error().code, 409);
  EXPECT_EQ(patched.error().reason, "Conflict");
  patched = t.world.update<Pod>(key, {.uid = pod->meta.uid, .version = pod->meta.version}, touch);
  ASSERT_TRUE(patched);
  EXPECT_GT((*patched)->meta.version, pod->meta.version);
  EXPECT_FALSE(pod->meta.labels.find("x")) << "the old snapshot stays as it was";
}

TEST(WorldApi, CreationIsChecked) {
  TestWorld t;
  t.make(make_min_available("nr", {1}));
  EXPECT_EQ(t.world.create(make_min_available("nr", {1})).error().message,
            "poddisruptionbudgets.policy \"nr\" already exists");
  EXPECT_EQ(t.world.create(make_pod("p", {}, {.ns = "nope"})).error().message,
            "namespaces \"nope\" not found");
  EXPECT_EQ(t.world.create(make_pod("")).error().code, 422);
  t.world.refuse_creations(Kind::kPod, "default", true);
  EXPECT_EQ(t.world.create(make_pod("p")).error().code, 403);
}

TEST(WorldApi, UidsAreWrittenAsUuids) {
  const Uid uid{0xabcdef};
  EXPECT_EQ(uid.text().size(), 36U);
  EXPECT_EQ(Uid::parse(uid.text()), uid);
  EXPECT_EQ(Uid::parse("8c83752a-d092-4252-88c9-b84d7a0f5cf5"), Uid{});
  EXPECT_EQ(Uid::parse(""), Uid{});
}

TEST(WorldWatch, GoesOnFromAnyVersionThatIsKept) {
  TestWorld t;
  const uint64_t before = t.world.version();
  t.make(make_pod("p", "n1"));
  t.run(Seconds(1));
  ASSERT_TRUE(t.world.remove(Kind::kPod, {"default", "p"}));
  t.run(Seconds(1));
  const Answer<std::vector<Event>> events = t.world.events_since(Kind::kPod, before);
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 4U);  // added, running, told, gone
  EXPECT_EQ((*events)[0].change, Change::kAdded);
  EXPECT_EQ(as<Pod>(*(*events)[0].object).status.phase, Phase::kPending);
  EXPECT_TRUE(as<Pod>(*(*events)[1].object).ready());
  EXPECT_TRUE(as<Pod>(*(*events)[2].object).deleting());
  EXPECT_EQ((*events)[3].change, Change::kDeleted);
  EXPECT_EQ(t.world.events_since(Kind::kPod, (*events)[1].version())->size(), 2U);
  t.world.compact((*events)[1].version());
  EXPECT_EQ(t.world.events_since(Kind::kPod, before).error().code, 410);
  EXPECT_EQ(t.world.events_since(Kind::kPod, (*events)[1].version())->size(), 2U);
}

TEST(WorldWatch, TheLogIsBounded) {
  TestWorld t(0, {.log_keeps = 3});
  const uint64_t begin = t.world.version();
  for (int i = 0; i < 10; ++i) t.make(make_service("s" + std::to_string(i)));
  EXPECT_FALSE(t.world.events_since(Kind::kService, begin));
  EXPECT_EQ(t.world.events_since(Kind::kService, t.world.version() - 3)->size(), 3U);
}

TEST(WorldWatch, ObserversHearEverythingInOrder) {
  TestWorld t;
  uint64_t last = 0;
  int heard = 0;
  const uint64_t observer = t.world.observe([&](const Event& event) {
    EXPECT_GT(event.version(), last);
    last = event.version();
    ++heard;
  });
  t.make(make_deployment("web", 3));
  t.run(Seconds(2));
  EXPECT_GT(heard, 10);
  EXPECT_EQ(last, t.world.version());
  t.world.forget(observer);
  const int before = heard;
  t.make(make_service("web"));
  EXPECT_EQ(heard, before);
}

TEST(World, TheSameSeedGivesTheSameHistory) {
  const auto history = [](uint64_t seed) {
    TestWorld t(3, {}, seed);
    t.make(make_deployment("web", 5, {.behaviour = {.ready_after = Seconds(1)}}));
    t.make(make_max_unavailable("web", {1}));
    t.run(Seconds(5));
    std::string text;
    for (const PodStory& pod : t.world.history().pods()) {
      text += pod.key.text() + pod.node + std::to_string(pod.ready->time_since_epoch().count());
    }
    return text;
  };
  EXPECT_EQ(history(7), history(7));
  EXPECT_NE(history(7), history(8));
}

TEST(World, RunsScriptsInOrder) {
  TestWorld t;
  std::string said;
  t.world.at(t.start + Seconds(2), [&] { said += "b"; });
  t.world.at(t.start + Seconds(1), [&] { said += "a"; });
  t.world.at(t.start + Seconds(2), [&] { said += "c"; });
  EXPECT_LE(t.world.wake(), t.start + Seconds(1));
  t.run(Seconds(3));
  EXPECT_EQ(said, "abc");
  EXPECT_EQ(t.world.now(), t.start + Seconds(3));
}

}  // namespace
}  // namespace spotkeeper::world
