// SPDX-License-Identifier: Apache-2.0
// The rights an agent needs on the cluster, what is lost without each, and what that means for the
// core. One table, from which the log speaks and the ClusterRole in deploy/ is checked. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/abilities.h"
#include "kube/rights.h"

namespace spotkeeper::effects {

struct Need {
  kube::Right right;
  const char* loss;  // what is lost without it
};

const std::vector<Need>& needs();

std::vector<kube::Right> needed_rights();

// Whether pods can be handed over where these rights are missing.
bool hands_over_without(const std::set<kube::Right>& lacking);

core::Abilities abilities_of(const std::set<kube::Right>& held);

// One line for a right that is missing: what is lost, and the rule to add.
std::string missing_line(const Need& need);

// "pods/eviction create": how a rule is named in logs and docs.
std::string describe(const kube::Right& right);

}  // namespace spotkeeper::effects
