// SPDX-License-Identifier: Apache-2.0
// What every part of the world works with, and the queue through which controllers react: a key
// that is noted twice before its turn is looked at once.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "world/history.h"
#include "world/random.h"
#include "world/store.h"
#include "world/timeline.h"

namespace spotkeeper::world {

class Api;

struct Context {
  Context(const Options& o, uint64_t seed, Time start)
      : options(o), random(seed), timeline(start), store(timeline, o.log_keeps) {}

  Time now() const { return timeline.now(); }

  const Options options;
  Random random;
  Timeline timeline;
  Store store;
  History history;
  Api* api = nullptr;  // how the world's own parts write where the API would check
};

// The controller-manager's own limit on what a controller writes.
class WriteLimit {
 public:
  WriteLimit(double rate, double burst) : rate_(rate), burst_(burst), tokens_(burst) {}
  // Takes one when there is one.
  bool take(Time now);
  // When there will be one.
  Time next(Time now) const;

 private:
  double rate_;
  double burst_;
  double tokens_;
  Time refilled_{};
};

class WorkQueue {
 public:
  using Sync = std::function<void(const Key&)>;

  WorkQueue(Context& context, Latency latency, Sync sync)
      : context_(context), latency_(latency), sync_(std::move(sync)) {}
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Its turn comes after the queue's latency, or when it would have come anyway.
  void add(const KeyView& key);
  // Not later than that.
  void add_at(const KeyView& key, Time at);

 private:
  static constexpr size_t kFewItems = 1024;
  struct Item {
    Key key;
    Time due = kNever;  // its turn; kNever: it waits for none
    int alarms = 0;     // on the timeline, those that are void too; 0: it may go
  };
  Item& item_of(const KeyView& key);
  void wake_at(Item& item, Time when);
  void run(Item& item);
  void sweep();

  Context& context_;
  Latency latency_;
  Sync sync_;
  std::unordered_map<KeyView, std::unique_ptr<Item>, KeyHash> items_;  // by their own keys
  size_t swept_at_ = kFewItems;  // idle items go when there are so many
};

// A name for a new pod of that owner: "web-7d9f-x2x4p".
std::string generated_name(Context& context, const std::string& owner);

// A pod as its controller makes it.
Pod pod_from(const PodTemplate& from, const Meta& owner, Kind owner_kind, std::string name);

// What controllers look at has changed: not just a status that nobody counts.
bool counts_differ(const Event& event);

}  // namespace spotkeeper::world
