// SPDX-License-Identifier: Apache-2.0
// A label selector as manifests write it (matchLabels, matchExpressions), with the checks that the
// API server makes. For policy_file.cc only.
#pragma once

#include "base/label_selector.h"
#include "base/result.h"
#include "config/policy_yaml.h"

namespace spotkeeper::config {

// Fills in a selector that is empty.
Result<void> read_selector(const YamlValue& value, LabelSelector& selector);

}  // namespace spotkeeper::config
