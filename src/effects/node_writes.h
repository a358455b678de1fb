// SPDX-License-Identifier: Apache-2.0
// The writes on a Node: our mark, taking it back, and what is put there at the start. Each reads
// the node, writes bound to the version that was read, and begins again at once when somebody else
// wrote meanwhile (409), a few times. Answer: what was found and done, for people. The Api must
// outlive the call.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "effects/mark.h"
#include "effects/reboot.h"
#include "kube/api.h"

namespace spotkeeper::effects {

// `known`: the node as it was read before; the first write is bound to that. `holders`: outlives
// the call; a node that another process drains is left alone (Error::held).
struct Marked {
  std::string remark;
  std::optional<kube::Node> node = {};  // as it is now, where it was written
};
Task<Result<Marked>> write_mark(kube::Api& api, std::string node, Mark mark, Holders& holders,
                                std::optional<kube::Node> known = std::nullopt);

// `takers`: the notices whose mark it is; none: a person. A mark that is not theirs to take back
// stays (see keeps_mark), and the answer says so.
Task<Result<std::string>> take_back_mark(kube::Api& api, std::string node,
                                         std::vector<core::NoticeId> takers, Time now);

// The node is given to whoever comes next, if `holder` holds it; the mark stays. The remark is
// empty where it does not.
Task<Result<std::string>> give_up_node(kube::Api& api, std::string node, std::string holder);

// What a mark from before the host's boot has left is taken back; see effects/reboot.h. Remark and
// event are empty where there is nothing of the kind. `change` false: only says what it would do.
struct Rebooted {
  std::string remark;
  core::NoticeId event;  // which has been
};
Task<Result<Rebooted>> undo_after_reboot(kube::Api& api, kube::Node known, Boot boot, bool change);

// A label, and taints, that say what the node is; a remark where something was written.
Task<Result<std::string>> describe_node(kube::Api& api, std::string node, Labels labels,
                                        std::vector<kube::Taint> taints);

}  // namespace spotkeeper::effects
