// SPDX-License-Identifier: Apache-2.0
#include "core/action.h"

namespace spotkeeper::core {

const char* to_string(ActionKind kind) {
  switch (kind) {
    case ActionKind::kMark:
      return "mark";
    case ActionKind::kForewarn:
      return "forewarn";
    case ActionKind::kRelease:
      return "release";
    case ActionKind::kPutBack:
      return "put back";
    case ActionKind::kAsk:
      return "ask";
    case ActionKind::kExplain:
      return "explain";
    case ActionKind::kStop:
      return "stop";
    case ActionKind::kUndo:
      return "undo";
  }
  return "unknown";
}

}  // namespace spotkeeper::core
