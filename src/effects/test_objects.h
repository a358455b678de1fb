// SPDX-License-Identifier: Apache-2.0
// For tests of this folder: objects of the API as they are read.
#pragma once

#include <string>

#include "kube/objects.h"

namespace spotkeeper::effects {

// Of pods with the label app=`app`.
inline kube::Budget make_budget(const std::string& ns, const std::string& name, int allows,
                                const std::string& app) {
  kube::Budget budget;
  budget.uid = "uid-" + name;
  budget.ns = ns;
  budget.name = name;
  budget.disruptions_allowed = allows;
  budget.selector = LabelSelector{.match_labels = {{"app", app}}};
  return budget;
}

}  // namespace spotkeeper::effects
