// SPDX-License-Identifier: Apache-2.0
// What the core wants done, and what it is told. An adapter carries out an Action and answers with
// ActionDone of the same number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "core/abilities.h"
#include "core/group.h"
#include "core/host.h"
#include "core/notice.h"
#include "core/outages.h"
#include "core/unit.h"

namespace spotkeeper::core {

enum class ActionKind {
  kMark,      // nothing new may be placed on the host; taint and record written with it
  kForewarn,  // write on a unit that it will go, and when
  kRelease,   // take a unit out of its group, which starts a replacement
  kPutBack,   // … and put it back into it
  kAsk,       // ask a unit to leave: its budget may refuse
  kExplain,   // write down on the unit why it ends
  kStop,      // tell a unit to leave: nothing refuses
  kUndo,      // take back what our mark set, and nothing else
};

const char* to_string(ActionKind kind);

// What a mark bears beside cordon, taint and record.
struct MarkExtras {
  bool exclude_from_load_balancers = false;
  bool no_execute = false;      // the taint's effect is NoExecute now
  bool out_of_service = false;  // volumes may be detached by force
  bool soft = false;            // no cordon: a taint that asks for other hosts to be preferred

  bool operator==(const MarkExtras&) const = default;
};

struct Action {
  uint64_t number = 0;  // unique for its host within the process
  ActionKind kind = ActionKind::kMark;
  HostId host;
  UnitId unit;                   // not for kMark and kUndo
  std::string unit_name;         // the same
  std::optional<Seconds> grace;  // kAsk, kStop: instead of the unit's own
  Millis patience{10'000};       // how long its answer is waited for, once it is sent
  Time by = kNever;              // its unit's last moment: what is due then waits for nobody
  Time end = kNever;             // no grace may reach beyond, however long it waits to be sent
  Notice notice;                 // why the host goes: goes into the record
  // kUndo: whose mark is taken back: that of every notice its drain has heard of.
  std::vector<NoticeId> takers = {};
  MarkExtras extras = {};  // kMark
  bool renews = false;     // kMark: it says nothing new, and has time until `by`
  std::string reason;      // one sentence
};

// What adapters and timers tell a Drain.
struct NoticeHeard {
  Notice notice;
  bool instead = false;  // what was heard before does not hold any more: also of a weaker notice
};
struct UnitSeen {
  Unit unit;
};
struct UnitGone {
  UnitId id;
};
struct UnitsListed {};  // every unit on the host has been seen
struct BudgetSeen {
  Budget budget;
};
struct BudgetGone {
  BudgetId id;
};
struct BudgetsListed {
  bool watched = true;  // false: they may not be read; units are asked to find out
};
struct ActionDone {
  uint64_t number = 0;
  Result<std::string> result;     // a remark for people, may be empty
  std::optional<Time> sent = {};  // when, where it had to wait; unset: at once
};
struct Trouble {  // an adapter cannot see what it should; it goes on trying
  Error error;
};
struct ServiceSeen {  // a Service that is or was on the host
  Service service;
};
struct ServicesListed {};  // every Service that is on the host has been seen
struct GroupSeen {
  Group group;
};
struct GroupsUnread {  // nothing can be handed over
  std::string why;
};
struct VolumesSeen {  // volumes that are attached to the host
  int attached = 0;
};
struct AbilitiesFound {
  Abilities abilities;
};
struct Withdrawn {   // the host is not to be drained any more
  bool undo = true;  // take the mark back; false: leave it as it is
  std::string why;
};
struct PolicyChanged {  // the operator's rules have been read again
  std::vector<Rule> rules;
};
// Others share the request rate: the last moments of this host's units come so much earlier.
struct Crowd {
  Millis lead{0};
  bool brief = false;  // there are so many that what is said beside a stop is left out
  bool operator==(const Crowd&) const = default;
};
struct Tick {};  // time has passed

using Observation =
    std::variant<NoticeHeard, UnitSeen, UnitGone, UnitsListed, BudgetSeen, BudgetGone,
                 BudgetsListed, ServiceSeen, ServicesListed, GroupSeen, GroupsUnread, VolumesSeen,
                 AbilitiesFound, PolicyChanged, ActionDone, Trouble, Withdrawn, Crowd, Tick>;

}  // namespace spotkeeper::core
