// SPDX-License-Identifier: Apache-2.0
#include "core/journal.h"

namespace spotkeeper::core {

const char* to_string(What what) {
  switch (what) {
    case What::kNotice:
      return "notice";
    case What::kMarked:
      return "marked";
    case What::kMarkFailed:
      return "mark failed";
    case What::kPlanned:
      return "planned";
    case What::kHeld:
      return "held";
    case What::kForewarned:
      return "forewarned";
    case What::kReleased:
      return "released";
    case What::kReplaced:
      return "replaced";
    case What::kPutBack:
      return "put back";
    case What::kAsked:
      return "asked";
    case What::kRefused:
      return "refused";
    case What::kExplained:
      return "explained";
    case What::kOverruled:
      return "overruled";
    case What::kStopped:
      return "stopped";
    case What::kTold:
      return "told";
    case What::kGone:
      return "gone";
    case What::kFailed:
      return "failed";
    case What::kDenied:
      return "denied";
    case What::kDark:
      return "outage";
    case What::kBright:
      return "outage over";
    case What::kUndone:
      return "undone";
    case What::kWould:
      return "would";
    case What::kFinished:
      return "finished";
  }
  return "unknown";
}

}  // namespace spotkeeper::core
