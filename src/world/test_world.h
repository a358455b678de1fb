// SPDX-License-Identifier: Apache-2.0
// For tests of this folder: a world with nodes n1, n2 …, and short words for what tests look at.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "world/workloads.h"
#include "world/world.h"

namespace spotkeeper::world {

struct TestWorld {
  explicit TestWorld(int nodes = 2, Options options = {}, uint64_t seed = 1)
      : world(options, seed), start(world.now()) {
    for (int i = 1; i <= nodes; ++i) {
      make(make_node("n" + std::to_string(i), "i-" + std::to_string(i)));
    }
  }

  template <class T>
  Ptr<T> make(T object) {
    Answer<Ptr<T>> made = world.create(std::move(object));
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : nullptr;
  }
  void run(Millis time) { world.advance_to(world.now() + time); }
  void cordon(const std::string& node, bool on = true) {
    ASSERT_TRUE(
        world.update<Node>({{}, node}, {}, [&](Node& each) { each.spec.unschedulable = on; }));
  }
  std::vector<Ptr<Pod>> pods(const std::string& app, const std::string& ns = "default") const {
    std::vector<Ptr<Pod>> found = world.list<Pod>(ns);
    std::erase_if(found, [&](const Ptr<Pod>& pod) { return !pod->meta.labels.has("app", app); });
    return found;
  }
  // Running, Ready and staying.
  int serving(const std::string& app) const {
    const auto found = pods(app);
    return static_cast<int>(std::ranges::count_if(
        found, [](const Ptr<Pod>& pod) { return pod->ready() && !pod->deleting(); }));
  }
  Ptr<Budget> budget(const std::string& name) const {
    return world.find<Budget>({"default", name});
  }
  const PodStory& story(const Ptr<Pod>& pod) const { return *world.history().pod(pod->meta.uid); }

  World world;
  Time start;
};

}  // namespace spotkeeper::world
