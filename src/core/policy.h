// SPDX-License-Identifier: Apache-2.0
// What the operator wants. Times are durations; counts are per second.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/rules.h"

namespace spotkeeper::core {

// Which drains hand units over: replacement first.
enum class HandOver {
  kNever,
  kInterruptions,  // where the host will end
  kAlways,         // soft notices, too
};

struct Policy {
  Seconds margin{3};         // all is to be done this long before the deadline
  Seconds enough_grace{60};  // a budget may hold a unit back until this much grace is left
  std::optional<Seconds> grace_override;  // instead of every unit's own grace
  // Units are left alone until this long before the deadline; unset: at once.
  std::optional<Seconds> start_before;
  // Our marks are renewed so often while a drain is not finished, where others may take over from
  // us, and after twice that nothing is asked before its last moment; unset: nobody may.
  std::optional<Seconds> renew_every;
  bool mark_only = false;         // cordon, never drain
  bool dry_run = false;           // say what would be done, do nothing
  bool spare_local_data = false;  // units with local data are told only at the last moment
  bool taint = false;             // put the notice's taint on the host
  std::string taint_effect = "NoSchedule";
  double requests_per_s = 100;  // what we ask of the cluster's API, in the long run
  double request_burst = 200;   // … and at once
  Seconds ask_again{20};        // a refused unit is asked again when its budget cannot be watched
  Seconds mark_patience{3};     // an unmarked host is drained all the same after this
  int asks_per_budget = 4;      // asks in flight for one budget; the server does them one by one
  HandOver hand_over = HandOver::kInterruptions;
  std::vector<Rule> rules;  // what is done with which units; the first that matches holds
  bool early_word = false;  // tell every unit that will go, at second 0, on itself
  bool exclude_from_load_balancers = false;  // before the first eviction
  bool no_execute_at_end = false;            // TAINT_EFFECT=NoExecute, once all have been told
  // NTH's option: the taint that lets volumes be detached by force, once all have left. Only right
  // where the host ends for certain.
  bool out_of_service = false;
  // DaemonSet units are told in the last seconds; false: they end with the host.
  bool signal_daemons = false;
  // What a rebalance recommendation is worth: a drain, or only a mark; or no cordon either, but a
  // taint by which other hosts are preferred, and only what needs more time than an interruption
  // leaves is moved (a hand-over included).
  bool recommendation_marks_only = false;
  bool recommendation_is_soft = false;
};

// Whether any drain under this policy may hand units over.
inline bool may_hand_over(const Policy& policy) {
  return policy.hand_over != HandOver::kNever;
}

}  // namespace spotkeeper::core
