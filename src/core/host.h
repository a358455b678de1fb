// SPDX-License-Identifier: Apache-2.0
// The host that goes, as the place that manages it knows it: a Kubernetes Node's name. The adapter
// finds it by instance id; a host that is not known there is normal and no error.
#pragma once

#include "base/strong.h"

namespace spotkeeper::core {

using HostId = Strong<struct HostIdTag>;

}  // namespace spotkeeper::core
