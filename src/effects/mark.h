// SPDX-License-Identifier: Apache-2.0
// The mark on a Node: unschedulable, the notice's taint, and our record, as one merge patch bound
// to the resourceVersion that was read (without it a taint that somebody else adds meanwhile would
// be erased: spec.taints is replaced as a whole). Pure.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/action.h"
#include "core/notice.h"
#include "effects/holders.h"
#include "kube/objects.h"

namespace spotkeeper::effects {

// The annotation that holds our record, a JSON object:
//   {"v":1, "notice":{"id","kind","deadline","source"}, "started", "cordoned", "taints":[keys],
//    "labels":[keys], "holder":{"id","renewed"}}
// cordoned, taints, labels: what was us, so that only that is ever undone. deadline: null when
// there is none. holder: only where several processes may drain the same host.
inline constexpr const char* kStateAnnotation = "spotkeeper.io/state";

// As NTH sets them for maintenance that restarts the host: which event, and, where it was not
// cordoned before, that it is to be uncordoned when it has booted after that moment (Unix seconds).
inline constexpr const char* kEventIdLabel = "aws-node-termination-handler/event-id";
inline constexpr const char* kActionLabel = "aws-node-termination-handler/action";
inline constexpr const char* kActionTimeLabel = "aws-node-termination-handler/action-time";
inline constexpr const char* kUncordonAfterReboot = "UncordonAfterReboot";

// As NTH sets them. Source: Kubernetes well-known labels and taints.
inline constexpr const char* kExcludeLabel =
    "node.kubernetes.io/exclude-from-external-load-balancers";
inline constexpr const char* kExcludeValue = "aws-node-termination-handler";
inline constexpr const char* kOutOfServiceTaint = "node.kubernetes.io/out-of-service";

struct Mark {
  core::Notice notice;
  bool taint = false;
  std::string taint_effect = "NoSchedule";
  core::MarkExtras extras = {};
  Time started{};
  std::string holder = {};  // who drains it, where several processes may; see holders.h
};

// NTH's taint key for this kind of notice: "aws-node-termination-handler/spot-itn".
std::string taint_key(core::NoticeKind kind);

// Taint values are label values: at most 63 characters of the notice's id, what no label value may
// have written "-".
std::string taint_value(const core::NoticeId& id);

// The notice that an earlier life of ours (or another process of ours) has recorded on the node.
std::optional<core::Notice> recorded_notice(const kube::Node& node);

// When the mark that the node bears was placed, by our record; nothing where it bears none.
std::optional<Time> recorded_start(const kube::Node& node);

// The node's taints as a patch has to repeat them, but for those of `without`.
boost::json::array taints_json(const std::vector<kube::Taint>& all,
                               const std::set<std::string>& without);

// Who has recorded that it drains the node; nothing where nobody need say so.
std::optional<Holder> recorded_holder(const kube::Node& node);

// The patch that marks the node; nothing when it bears this mark already. What a person asks for
// does not replace the record of a notice.
std::optional<boost::json::value> mark_patch(const kube::Node& node, const Mark& mark);

// The patch by which a holder gives the node to whoever comes next: its name goes from the record,
// and everything else stays. Nothing when it does not hold it.
std::optional<boost::json::value> release_patch(const kube::Node& node, const std::string& holder);

// What was found and done, for people: "cordoned, taint … added".
std::string mark_remark(const kube::Node& before, const Mark& mark);

// The patch that takes our mark back: our cordon, our taints, our record, and nothing of others'.
// Nothing when the node bears no record of ours.
std::optional<boost::json::value> undo_patch(const kube::Node& node);

// Why the mark is not the `takers`' to take back at `now`; empty when it is. A drain takes back the
// mark of its own notices; a person (who has none) every one but that of a notice whose deadline is
// ahead.
std::string keeps_mark(const kube::Node& node, const std::vector<core::NoticeId>& takers, Time now);

// The same for people: "uncordoned; taint … removed".
std::string undo_remark(const kube::Node& before);

}  // namespace spotkeeper::effects
