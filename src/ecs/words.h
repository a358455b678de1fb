// SPDX-License-Identifier: Apache-2.0
// The core's sentences speak of pods, budgets and evictions; to somebody who reads them on ECS they
// speak of tasks, services and StopTask. Pure.
#pragma once

#include <string>

namespace spotkeeper::ecs {

std::string in_ecs_words(std::string text);

}  // namespace spotkeeper::ecs
