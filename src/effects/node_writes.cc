// SPDX-License-Identifier: Apache-2.0
#include "effects/node_writes.h"

#include <functional>
#include <memory>
#include <utility>

#include "kube/calls.h"

namespace spotkeeper::effects {
namespace {

// A node is written by the kubelet and controllers too: a conflict is tried again at once.
constexpr int kTries = 6;

struct Change {
  std::optional<boost::json::value> patch;  // nothing: there is nothing to do
  std::string remark;
  std::optional<Error> obstacle = {};  // why it may not be
};

Task<Result<Marked>> change_node(kube::Api& api, std::string name,
                                 std::function<Change(const kube::Node&)> change,
                                 std::optional<kube::Node> known = std::nullopt) {
  Error conflict;
  for (int i = 0; i < kTries; ++i) {
    Result<kube::Node> node;
    if (known) {
      node = std::move(*std::exchange(known, std::nullopt));
    } else {
      node = co_await kube::get_node(api, name);
    }
    if (!node) co_return std::unexpected(node.error());
    Change wanted = change(*node);
    if (wanted.obstacle) co_return std::unexpected(*wanted.obstacle);
    if (!wanted.patch) co_return Marked{.remark = std::move(wanted.remark)};
    Result<kube::Node> patched = co_await kube::patch_node(api, name, std::move(*wanted.patch));
    if (patched) co_return Marked{.remark = std::move(wanted.remark), .node = std::move(*patched)};
    if (patched.error().status != 409) co_return std::unexpected(patched.error());
    conflict = patched.error();
  }
  co_return std::unexpected(conflict);
}

Change marking(const kube::Node& node, const Mark& mark, Holders& holders) {
  const std::optional<Holder> before = recorded_holder(node);
  const std::optional<core::Notice> recorded = recorded_notice(node);
  const bool outranked = recorded && core::outranks(mark.notice, *recorded);
  if (auto obstacle = holders.obstacle(node, mark.started); obstacle && !outranked) {
    return Change{.patch = std::nullopt, .remark = {}, .obstacle = std::move(obstacle)};
  }
  Change change{.patch = mark_patch(node, mark), .remark = "was marked before"};
  if (change.patch) change.remark = mark_remark(node, mark);
  if (before && !holders.self().empty() && before->id != holders.self()) {
    change.remark = "taken over from " + before->id + ": " + change.remark;
  }
  return change;
}

Change unmarking(const kube::Node& node, const std::vector<core::NoticeId>& takers, Time now) {
  if (std::string why = keeps_mark(node, takers, now); !why.empty()) {
    return Change{.patch = std::nullopt, .remark = std::move(why)};
  }
  Change change{.patch = undo_patch(node), .remark = "bears no mark of ours"};
  if (change.patch) change.remark = undo_remark(node);
  return change;
}

}  // namespace

Task<Result<Marked>> write_mark(kube::Api& api, std::string node, Mark mark, Holders& holders,
                                std::optional<kube::Node> known) {
  std::function<Change(const kube::Node&)> change =
      [mark = std::move(mark), &holders](const kube::Node& n) { return marking(n, mark, holders); };
  co_return co_await change_node(api, std::move(node), std::move(change), std::move(known));
}

Task<Result<std::string>> take_back_mark(kube::Api& api, std::string node,
                                         std::vector<core::NoticeId> takers, Time now) {
  std::function<Change(const kube::Node&)> change =
      [takers = std::move(takers), now](const kube::Node& n) { return unmarking(n, takers, now); };
  Result<Marked> done = co_await change_node(api, std::move(node), std::move(change));
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return std::move(done->remark);
}

Task<Result<std::string>> give_up_node(kube::Api& api, std::string node, std::string holder) {
  std::function<Change(const kube::Node&)> change = [holder](const kube::Node& n) {
    Change released{.patch = release_patch(n, holder), .remark = {}};
    if (released.patch) released.remark = "given up by " + holder;
    return released;
  };
  Result<Marked> done = co_await change_node(api, std::move(node), std::move(change));
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return std::move(done->remark);
}

Task<Result<Rebooted>> undo_after_reboot(kube::Api& api, kube::Node known, Boot boot, bool change) {
  auto event = std::make_shared<core::NoticeId>();
  std::function<Change(const kube::Node&)> undo = [boot, change, event](const kube::Node& n) {
    const std::optional<core::NoticeId> been = event_before_boot(n, boot);
    if (!been) return Change{};
    *event = *been;
    return Change{.patch = change ? reboot_patch(n, boot) : std::nullopt,
                  .remark = reboot_remark(n, boot)};
  };
  std::string name = known.name;
  Result<Marked> done =
      co_await change_node(api, std::move(name), std::move(undo), std::move(known));
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return Rebooted{.remark = std::move(done->remark), .event = *event};
}

Task<Result<std::string>> describe_node(kube::Api& api, std::string node, Labels labels,
                                        std::vector<kube::Taint> taints) {
  std::function<Change(const kube::Node&)> change =
      [labels = std::move(labels), taints = std::move(taints)](const kube::Node& n) {
        return Change{.patch = description_patch(n, labels, taints),
                      .remark = description_remark(n, labels, taints)};
      };
  Result<Marked> done = co_await change_node(api, std::move(node), std::move(change));
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return std::move(done->remark);
}

}  // namespace spotkeeper::effects
