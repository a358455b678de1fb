// SPDX-License-Identifier: Apache-2.0
// What the API server says about itself: version, groups, resources. Pure.
#pragma once

#include <optional>
#include <string>

#include "emulator/json.h"
#include "emulator/query.h"

namespace spotkeeper::emulator {

// /version, /api, /apis, /apis/GROUP; nullopt for any other path.
std::optional<json::object> describe_server(const std::string& path);

// APIResourceList of /api/v1 or /apis/GROUP/VERSION; nullopt when there is no such group.
std::optional<json::object> describe_group(const Query& query);

}  // namespace spotkeeper::emulator
