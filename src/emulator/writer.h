// SPDX-License-Identifier: Apache-2.0
// The writing half of the API: POST, PUT, PATCH, DELETE on objects and their subresources. What a
// client's JSON means is decided here; whether it may be is the world's answer.
#pragma once

#include <string>

#include "emulator/cluster.h"
#include "emulator/patch.h"

namespace spotkeeper::emulator {

Outcome<json::object> create_object(Cluster& cluster, const Query& query, const Resource& resource,
                                    const json::value& body);

// `query.subresource`: empty, "status" or "scale".
Outcome<json::object> replace_object(Cluster& cluster, const Query& query, const Resource& resource,
                                     const json::value& body);
Outcome<json::object> patch_object(Cluster& cluster, const Query& query, const Resource& resource,
                                   PatchKind kind, const json::value& patch);
Outcome<json::object> get_scale(const Cluster& cluster, const Query& query,
                                const Resource& resource);

Outcome<json::object> delete_object(Cluster& cluster, const Query& query, const Resource& resource,
                                    const json::value& options);
Outcome<json::object> delete_collection(Cluster& cluster, const Query& query,
                                        const Resource& resource, const json::value& options);

// POST pods/NAME/eviction.
Outcome<json::object> evict_pod(Cluster& cluster, const Query& query, const json::value& eviction);

}  // namespace spotkeeper::emulator
