// SPDX-License-Identifier: Apache-2.0
// Text of the other side's, made fit for our messages. Pure.
#pragma once

#include <cstddef>
#include <string>

namespace spotkeeper {

// At most `most` bytes of it, never ending in the middle of a UTF-8 character.
std::string cut(std::string text, size_t most);

// One line of at most about 500 bytes, "…" where it was cut; control characters become spaces.
std::string one_line(std::string text);

}  // namespace spotkeeper
