// SPDX-License-Identifier: Apache-2.0
// A cluster of workloads of all kinds with random graces, ready times, budgets and Services, and
// the things that go on in it by themselves.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "world/random.h"
#include "world/world.h"

namespace spotkeeper::laboratory {

struct Size {
  int nodes = 20;
  int pods_per_node = 30;
  Seconds lasts{150};  // a history, from its first notice; at least 120
};

class RandomCluster {
 public:
  // Creates everything; the world's controllers make the pods when time passes.
  RandomCluster(world::World& world, world::Random& random, Size size);

  const std::vector<std::string>& nodes() const { return nodes_; }

  // Something that people, controllers or applications do: scale, roll, edit a budget, lose
  // readiness, write to a node …
  void surprise();

  // From now on some workloads' new pods never get Ready: an image that is broken, say.
  void trouble_begins();

  ~RandomCluster() { world_.forget(observer_); }
  RandomCluster(const RandomCluster&) = delete;
  RandomCluster& operator=(const RandomCluster&) = delete;

 private:
  void spoil(const world::Pod& pod);
  world::PodTemplate random_template(const std::string& app, bool ends_by_itself);
  std::string random_namespace();
  int add_workload(int room);
  void guard(const std::string& app, const std::string& ns, int replicas);
  void edit_budget();
  void change_deployment();
  void touch_pod();
  void touch_node();

  world::World& world_;
  world::Random& random_;
  std::vector<std::string> nodes_;
  std::vector<world::Key> deployments_;
  std::vector<world::Key> budgets_;
  std::set<std::string> broken_;  // apps whose new pods do not get Ready
  uint64_t observer_ = 0;
  int count_ = 0;
};

}  // namespace spotkeeper::laboratory
