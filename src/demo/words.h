// SPDX-License-Identifier: Apache-2.0
// The timeline's words: what AWS, the agent and the cluster do, each a line of plain English. Made
// from the agent's own journal and from what changes in the world. Pure, but for what it remembers
// so that nothing is said twice.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/journal.h"
#include "demo/scenario.h"
#include "observe/board.h"

namespace spotkeeper::demo {

struct Line {
  Time at{};
  std::string who;    // "AWS", "agent", "cluster"; empty: the demo itself
  std::string about;  // "web-x2klp", "n1"
  std::string text;
  observe::Colour colour = observe::Colour::kPlain;
};

// "web-6b8d9c5f7-x2klp" of that ReplicaSet as "web-x2klp".
std::string pod_name(const world::PodStory& pod);
std::string pod_name(const world::Pod& pod);

class Words {
 public:
  Words(Time notice, Time deadline) : notice_(notice), deadline_(deadline) {}

  // The pod's short name is used from now on; of the world's events it is learnt by itself.
  void know(const world::Pod& pod);

  // nullopt: nothing that a reader should be bothered with.
  std::optional<Line> of(const core::Entry& entry);
  std::optional<Line> of(const world::Event& event, Time now);

  Line watching() const;        // what the agent does before the notice
  Line notice() const;          // AWS takes the host back
  Line end(int cut_off) const;  // the host ends
  static Line storm(Time at, bool begins);

 private:
  std::optional<Line> of_pod(const core::Entry& entry);
  std::string plain(std::string text) const;

  Time notice_;
  Time deadline_;
  std::map<std::string, std::string> reasons_;  // of what a pod was last asked or told
  std::map<std::string, std::string> names_;    // "shop/web-6b8d9c5f7-x2klp": "web-x2klp"
  std::set<std::string> overruled_;
  std::set<world::Uid> ready_;
};

}  // namespace spotkeeper::demo
