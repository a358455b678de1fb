// SPDX-License-Identifier: Apache-2.0
#include "effects/released.h"

#include <utility>
#include <vector>

#include "effects/mark.h"
#include "effects/release.h"
#include "kube/calls.h"
#include "kube/list.h"

namespace spotkeeper::effects {
namespace {

constexpr Millis kPatience{10'000};

}  // namespace

Task<Result<std::string>> put_back_released(kube::Api& api, std::string node, Time now) {
  const Result<kube::Node> marked = co_await kube::get_node(api, node);
  if (!marked) co_return std::unexpected(marked.error());
  if (!keeps_mark(*marked, {}, now).empty()) co_return std::string();
  kube::Listing listing = kube::pods_on(node);
  listing.label_selector = kReleasedLabel;
  const auto pods = co_await kube::list_all<kube::Pod>(api, std::move(listing), kube::decode_pod);
  if (!pods) co_return std::unexpected(pods.error());
  std::string remark;
  for (const kube::Pod& pod : *pods) {
    const std::optional<Place> place = place_of(pod);
    if (pod.deletion || !place) continue;
    boost::json::object metadata = put_back_metadata(pod, *place);
    const Result<void> done =
        co_await kube::patch_pod(api, kube::ref_of(pod), std::move(metadata), kPatience);
    if (!done && done.error().kind != ErrorKind::kGone) co_return std::unexpected(done.error());
    remark += (remark.empty() ? "put back: " : ", ") + pod.ns + "/" + pod.name;
  }
  co_return remark;
}

}  // namespace spotkeeper::effects
