// SPDX-License-Identifier: Apache-2.0
#include "laboratory/random_cluster.h"

#include <array>
#include <tuple>

#include "world/workloads.h"

namespace spotkeeper::laboratory {
namespace {

constexpr std::array<const char*, 3> kNamespaces = {"default", "shop", "data"};
// A node takes so many times its share: mostly there is room for moving.
constexpr int kRoomBeyond = 2;
constexpr int kNoRoom = 1;
constexpr Millis kSpoiled{420};  // after its creation a pod has surely started, or will not

template <class T>
const T& any_of(world::Random& random, const std::vector<T>& all) {
  return all[static_cast<size_t>(random.number(0, static_cast<int64_t>(all.size()) - 1))];
}

}  // namespace

RandomCluster::RandomCluster(world::World& world, world::Random& random, Size size)
    : world_(world), random_(random) {
  for (const char* ns : {"shop", "data"}) {
    std::ignore = world_.create(world::make_namespace(ns));
  }
  const int room_beyond = random_.chance(10) ? kNoRoom : kRoomBeyond;
  for (int i = 0; i < size.nodes; ++i) {
    nodes_.push_back("n" + std::to_string(i));
    std::ignore = world_.create(world::make_node(nodes_.back(), "i-" + std::to_string(i),
                                                 i % 2 == 0 ? "eu-west-1a" : "eu-west-1b",
                                                 size.pods_per_node * room_beyond));
  }
  int room = size.nodes * size.pods_per_node;
  std::ignore =
      world_.create(world::make_daemon_set("logs", {.grace = Seconds(random_.number(0, 60))}));
  room -= size.nodes;
  while (room > 0) room -= add_workload(room);
}

std::string RandomCluster::random_namespace() {
  return kNamespaces[static_cast<size_t>(random_.number(0, 2))];
}

world::PodTemplate RandomCluster::random_template(const std::string& app, bool ends_by_itself) {
  world::Shape shape;
  const int64_t kind = random_.number(1, 10);
  shape.grace = kind <= 5   ? Seconds(30)
                : kind <= 8 ? Seconds(random_.number(0, 90))
                            : Seconds(random_.number(90, 900));
  // Most applications end before their grace is over; some are killed.
  const int64_t grace_ms = Millis(shape.grace).count();
  shape.behaviour.ends_after =
      Millis(random_.number(50, random_.chance(80) ? grace_ms : grace_ms * 2));
  shape.behaviour.ready_after = Millis(random_.number(0, random_.chance(80) ? 5'000 : 40'000));
  if (random_.chance(3)) shape.behaviour.ready_after.reset();
  if (ends_by_itself) {
    shape.behaviour.runs_for = Millis(random_.number(5'000, 300'000));
    shape.behaviour.fails = random_.chance(10);
  }
  shape.empty_dir = random_.chance(20);
  if (random_.chance(3)) shape.tolerations.push_back({.key = {}, .op = "Exists"});
  world::PodTemplate made = world::make_template(app, shape);
  auto spec = std::make_shared<world::PodSpec>(*made.spec);
  if (random_.chance(6)) spec->claim = "disk-" + app;
  if (random_.chance(2)) spec->host_port = static_cast<int>(random_.number(8'000, 8'003));
  if (random_.chance(5)) spec->priority_class = "system-cluster-critical";
  made.spec = std::move(spec);
  if (random_.chance(8)) {
    const std::array words{"hand-over", "at-once", "last-moment", "never", "nonsense"};
    made.annotations.set("spotkeeper.io/drain", words[static_cast<size_t>(random_.number(0, 4))]);
  }
  if (random_.chance(4)) {
    made.annotations.set("spotkeeper.io/enough-grace", random_.chance(50) ? "full" : "20s");
  }
  return made;
}

int RandomCluster::add_workload(int room) {
  const std::string app = "app-" + std::to_string(count_++);
  const std::string ns = random_namespace();
  const int64_t kind = random_.number(1, 20);
  int replicas = static_cast<int>(std::min<int64_t>(room, random_.number(1, 20)));
  if (kind <= 12) {
    world::Deployment made = world::make_deployment(app, replicas, {.ns = ns});
    made.spec.pod = random_template(app, false);
    // They come back to a host that goes, again and again: few are enough to see it.
    if (!made.spec.pod.spec->tolerations.empty()) made.spec.replicas = std::min(replicas, 2);
    made.spec.recreate = random_.chance(5);
    if (random_.chance(5)) made.spec.max_surge = {0};
    if (random_.chance(6)) broken_.insert(app);
    if (world_.create(std::move(made))) deployments_.push_back({ns, app});
  } else if (kind <= 15) {
    replicas = std::min(replicas, 5);
    world::StatefulSet made = world::make_stateful_set(app, replicas, {.ns = ns});
    made.spec.pod = random_template(app, false);
    made.spec.parallel = random_.chance(50);
    std::ignore = world_.create(std::move(made));
  } else if (kind <= 18) {
    replicas = std::min(replicas, 8);
    world::Job made = world::make_job(app, replicas, {.ns = ns});
    world::PodTemplate pod = random_template(app, true);
    auto spec = std::make_shared<world::PodSpec>(*pod.spec);
    spec->restart_policy = world::RestartPolicy::kNever;
    pod.spec = std::move(spec);
    made.spec.pod = std::move(pod);
    made.spec.ignores_disruption = random_.chance(30);
    made.spec.backoff_limit = static_cast<int>(random_.number(0, 6));
    std::ignore = world_.create(std::move(made));
  } else {
    replicas = 1;
    world::Pod made = world::make_pod(app, any_of(random_, nodes_), {.ns = ns});
    made.spec = random_template(app, false).spec;
    if (random_.chance(30)) made.meta.annotations.set(world::kMirrorAnnotation, "x");
    std::ignore = world_.create(std::move(made));
  }
  if (random_.chance(60)) guard(app, ns, replicas);
  if (random_.chance(40)) std::ignore = world_.create(world::make_service(app, ns));
  return replicas;
}

void RandomCluster::guard(const std::string& app, const std::string& ns, int replicas) {
  world::Budget budget;
  switch (random_.number(1, 5)) {
    case 1:
      budget = world::make_max_unavailable(app, {0}, ns);
      break;
    case 2:
      budget = world::make_min_available(app, {replicas}, ns);
      break;
    case 3:
      budget = world::make_min_available(app, {static_cast<int>(random_.number(1, 99)), true}, ns);
      break;
    case 4:
      budget =
          world::make_max_unavailable(app, {static_cast<int>(random_.number(1, 60)), true}, ns);
      break;
    default:
      budget = world::make_max_unavailable(app, {static_cast<int>(random_.number(1, 3))}, ns);
  }
  budget.spec.always_allow_unhealthy = random_.chance(30);
  budgets_.push_back(budget.meta.key());
  const bool twice = random_.chance(4);
  world::Budget second = budget;
  std::ignore = world_.create(std::move(budget));
  if (!twice) return;
  second.meta.name += "-again";
  std::ignore = world_.create(std::move(second));
}

void RandomCluster::trouble_begins() {
  if (broken_.empty()) return;
  observer_ = world_.observe([this](const world::Event& event) {
    if (event.change != world::Change::kAdded || event.kind() != world::Kind::kPod) return;
    spoil(world::as<world::Pod>(*event.object));
  });
}

void RandomCluster::spoil(const world::Pod& pod) {
  if (!broken_.contains(pod.meta.labels.at("app"))) return;
  world_.at(world_.now() + kSpoiled,
            [this, key = pod.meta.key()] { world_.set_ready(key, false); });
}

void RandomCluster::surprise() {
  switch (random_.number(1, 8)) {
    case 1:
      edit_budget();
      break;
    case 2:
      change_deployment();
      break;
    case 3:
      touch_node();
      break;
    default:
      touch_pod();
  }
}

void RandomCluster::edit_budget() {
  if (budgets_.empty()) return;
  const world::Key key = any_of(random_, budgets_);
  if (random_.chance(15)) {
    std::ignore = world_.remove(world::Kind::kBudget, key);
    return;
  }
  std::ignore = world_.update<world::Budget>(key, {}, [&](world::Budget& each) {
    each.spec.min_available.reset();
    each.spec.max_unavailable = world::IntOrPercent{static_cast<int>(random_.number(0, 4))};
    if (random_.chance(10)) each.spec.selector = world::Selector{};  // all of its namespace
  });
}

void RandomCluster::change_deployment() {
  if (deployments_.empty()) return;
  const world::Key key = any_of(random_, deployments_);
  if (random_.chance(6)) {
    std::ignore = world_.remove(world::Kind::kDeployment, key);
    return;
  }
  std::ignore = world_.update<world::Deployment>(key, {}, [&](world::Deployment& each) {
    if (random_.chance(50)) {
      each.spec.replicas = static_cast<int>(random_.number(0, 20));
    } else {
      each.spec.pod.annotations.set("rolled", std::to_string(random_.next()));
    }
  });
}

void RandomCluster::touch_pod() {
  const auto pods = world_.pods_on(any_of(random_, nodes_));
  if (pods.empty()) return;
  const world::Key key = any_of(random_, pods)->meta.key();
  switch (random_.number(1, 6)) {
    case 1:
      std::ignore = world_.remove(world::Kind::kPod, key);
      break;
    case 2:
      std::ignore = world_.update<world::Pod>(key, {}, [&](world::Pod& each) {
        each.meta.labels.set("touched", std::to_string(random_.number(1, 9)));
      });
      break;
    default:
      world_.set_ready(key, random_.chance(50));
  }
}

void RandomCluster::touch_node() {
  std::ignore =
      world_.update<world::Node>({{}, any_of(random_, nodes_)}, {}, [&](world::Node& each) {
        each.meta.annotations.set("heartbeat", std::to_string(random_.next()));
      });
}

}  // namespace spotkeeper::laboratory
