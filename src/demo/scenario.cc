// SPDX-License-Identifier: Apache-2.0
#include "demo/scenario.h"

#include <fmt/format.h>

#include <algorithm>

namespace spotkeeper::demo {

using world::IntOrPercent;
using world::Kind;

namespace {

constexpr Seconds kSettles{60};

// Needs most of the notice: who is told late does not end in time.
App report(Seconds notice) {
  const Seconds needs = notice * 5 / 6;
  return {.name = "report",
          .what = fmt::format("grace 600 s; needs {} s to finish its work", needs.count()),
          .grace = Seconds(600),
          .ready_after = Millis(2'000),
          .ends_after = needs};
}

std::vector<App> shop(Seconds notice) {
  return {{.name = "web",
           .replicas = 3,
           .what = "budget: 2 of 3 stay Ready; a new pod needs 12 s",
           .ready_after = Millis(12'000),
           .min_available = IntOrPercent{.value = 2},
           .service = true},
          {.name = "checkout",
           .what = "budget: may never be disrupted",
           .ready_after = Millis(8'000),
           .ends_after = Millis(2'000),
           .max_unavailable = IntOrPercent{.value = 0},
           .service = true},
          report(notice),
          {.name = "db",
           .kind = Kind::kStatefulSet,
           .what = "needs 5 s to shut down",
           .ready_after = Millis(3'000),
           .ends_after = Millis(5'000),
           .service = true},
          {.name = "import", .kind = Kind::kJob, .what = "started again 10 s after it ended"},
          {.name = "logs", .kind = Kind::kDaemonSet, .what = "belongs to its node and stays"}};
}

std::vector<App> closed_budgets() {
  std::vector<App> apps;
  const auto add = [&](const std::string& name, int grace, int ends_after) {
    apps.push_back({.name = name,
                    .what = fmt::format("may never be disrupted; grace {} s", grace),
                    .grace = Seconds(grace),
                    .ready_after = Millis(6'000),
                    .ends_after = Seconds(ends_after),
                    .max_unavailable = IntOrPercent{.value = 0},
                    .service = true});
  };
  add("auth", 10, 2);
  add("cart", 30, 3);
  add("mail", 30, 25);
  add("payment", 45, 40);
  add("search", 60, 5);
  add("checkout", 90, 50);
  return apps;
}

std::vector<App> many() {
  std::vector<App> apps;
  for (int i = 1; i <= 10; ++i) {
    App app{.name = fmt::format("app{:02}", i),
            .replicas = 3,
            .grace = Seconds(i % 2 == 0 ? 30 : 45),
            .ready_after = Seconds(4 + i),
            .ends_after = Seconds(1 + i % 5),
            .service = true};
    switch (i % 3) {
      case 0:
        app.what = "no budget";
        break;
      case 1:
        app.what = "budget: 2 of 3 stay Ready";
        app.min_available = IntOrPercent{.value = 2};
        break;
      default:
        app.what = "budget: may never be disrupted";
        app.max_unavailable = IntOrPercent{.value = 0};
    }
    app.what += fmt::format("; grace {} s", app.grace.count());
    apps.push_back(std::move(app));
  }
  return apps;
}

// Replacements that are Ready in the bad weather, so that it meets evictions.
std::vector<App> slower(std::vector<App> apps) {
  apps.front().replicas = 6;
  apps.front().what = "budget: 5 of 6 stay Ready; a new pod needs 8 s";
  apps.front().min_available = IntOrPercent{.value = 5};
  apps.front().ready_after = Millis(8'000);
  return apps;
}

struct Named {
  const char* name;
  const char* summary;
  int notice;
  std::vector<App> (*cast)(Seconds notice);
};
constexpr Named kScenarios[] = {
    {"shop", "pods of every temper on one host", 120, shop},
    {"closed-budgets", "single replicas whose budgets allow no disruption at all", 120,
     [](Seconds) { return closed_budgets(); }},
    {"short-notice", "the notice comes only 20 s before the end", 20, shop},
    {"weather", "the API and the metadata answer 429, 500 or late for 30 s", 120,
     [](Seconds notice) { return slower(shop(notice)); }},
    {"many", "30 pods of ten Deployments on one host", 120, [](Seconds) { return many(); }},
};

template <class T>
void create(world::World& world, T object) {
  static_cast<void>(world.create(std::move(object)));
}

void create_app(world::World& world, const App& app) {
  const world::Shape shape{
      .ns = kNamespace,
      .grace = app.grace,
      .behaviour = {.ready_after = app.ready_after, .ends_after = app.ends_after}};
  switch (app.kind) {
    case Kind::kStatefulSet:
      create(world, world::make_stateful_set(app.name, app.replicas, shape));
      break;
    case Kind::kJob:
      create(world, world::make_job(app.name, app.replicas, shape));
      break;
    case Kind::kDaemonSet:
      create(world, world::make_daemon_set(app.name, shape));
      break;
    default:
      create(world, world::make_deployment(app.name, app.replicas, shape));
  }
  if (app.min_available) {
    create(world, world::make_min_available(app.name, *app.min_available, kNamespace));
  }
  if (app.max_unavailable) {
    create(world, world::make_max_unavailable(app.name, *app.max_unavailable, kNamespace));
  }
  if (app.service) create(world, world::make_service(app.name, kNamespace));
}

}  // namespace

int Scenario::moving() const {
  int pods = 0;
  for (const App& app : apps) pods += app.moves() ? app.replicas : 0;
  return pods;
}

const App* Scenario::find(const std::string& app) const {
  const auto found = std::ranges::find(apps, app, &App::name);
  return found == apps.end() ? nullptr : &*found;
}

std::vector<std::string> scenario_names() {
  std::vector<std::string> names;
  for (const Named& named : kScenarios) names.emplace_back(named.name);
  return names;
}

std::optional<Scenario> make_scenario(const std::string& name, std::optional<Seconds> notice) {
  for (const Named& named : kScenarios) {
    if (name != named.name) continue;
    const Seconds length = notice.value_or(Seconds(named.notice));
    return Scenario{.name = named.name,
                    .summary = named.summary,
                    .notice = length,
                    .weather = name == "weather",
                    .apps = named.cast(length)};
  }
  return std::nullopt;
}

world::Options world_options() {
  world::Options options;
  // As soon as a host that has gone is noticed at all. A cloud's real controllers take longer.
  options.host_removed_after = options.host_missed_after + Seconds(5);
  return options;
}

void build(world::World& world, const Scenario& scenario) {
  create(world, world::make_namespace(kNamespace));
  create(world, world::make_node(kDoomed, kInstance));
  for (const App& app : scenario.apps) create_app(world, app);
  world.advance_to(world.now() + kSettles);
  create(world, world::make_node("n2", "i-0a1b2c3d4e5f60722"));
  create(world, world::make_node("n3", "i-0a1b2c3d4e5f60733"));
  world.advance_to(world.now() + kSettles);
}

}  // namespace spotkeeper::demo
