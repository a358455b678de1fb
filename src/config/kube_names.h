// SPDX-License-Identifier: Apache-2.0
// What Kubernetes takes as a name. Pure.
// Source: Kubernetes documentation, "Object Names and IDs", "Labels and Selectors".
#pragma once

#include <string_view>

namespace spotkeeper::config {

// A namespace ("jobs"), or the beginning of some with "*" behind it ("team-*", "*").
bool is_namespace_pattern(std::string_view text);

// A kind of object as manifests have it: "Deployment", "Rollout".
bool is_kind(std::string_view text);

// "app", "app.kubernetes.io/name".
bool is_label_key(std::string_view text);

// May be empty.
bool is_label_value(std::string_view text);

}  // namespace spotkeeper::config
