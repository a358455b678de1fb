// SPDX-License-Identifier: Apache-2.0
// The two writes on a Node: our mark, and taking it back. Each reads the node, writes bound to the
// version that was read, and begins again at once when somebody else wrote meanwhile (409), a few
// times. Answer: what was found and done, for people. The Api must outlive the call.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "effects/mark.h"
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

}  // namespace spotkeeper::effects
