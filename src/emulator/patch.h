// SPDX-License-Identifier: Apache-2.0
// The three kinds of PATCH, applied to an object's JSON. Pure. Sources: RFC 7386 (merge), RFC 6902
// (JSON patch), and for strategic merge the Kubernetes page "Update API Objects in Place Using
// kubectl patch" with the merge keys of the API reference, as far as the emulated kinds have them.
#pragma once

#include <string>

#include "base/result.h"
#include "emulator/json.h"

namespace spotkeeper::emulator {

enum class PatchKind { kMerge, kStrategic, kJson };

void merge_patch(json::value& target, const json::value& patch);

// Lists with a merge key (conditions, containers, ownerReferences …) are merged by it, finalizers
// are united, other lists are replaced; knows $patch, $deleteFromPrimitiveList, $retainKeys.
void strategic_patch(json::value& target, const json::value& patch);

// An Error (kPermanent) when the patch is malformed or does not fit; then `target` is as before.
Result<void> json_patch(json::value& target, const json::value& patch);

Result<void> apply_patch(PatchKind kind, json::value& target, const json::value& patch);

}  // namespace spotkeeper::emulator
