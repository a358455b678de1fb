// SPDX-License-Identifier: Apache-2.0
#include "sources/asg_document.h"

#include <string_view>
#include <utility>

#include "sources/event_id.h"

namespace spotkeeper::sources {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

bool is_terminated(const std::string& body) {
  const size_t first = body.find_first_not_of(kBlank);
  if (first == std::string::npos) return false;
  const size_t last = body.find_last_not_of(kBlank);
  return std::string_view(body).substr(first, last - first + 1) == "Terminated";
}

}  // namespace

AsgDocument::AsgDocument(const Clock& clock, Seconds granted, Hook notice)
    : Page("autoscaling/target-lifecycle-state"),
      clock_(clock),
      granted_(granted),
      notice_(std::move(notice)) {}

Outcome AsgDocument::read(const std::optional<std::string>& body) {
  if (!body || !is_terminated(*body)) {
    told_ = false;
    return "quiet";
  }
  if (std::exchange(told_, true)) return "asg";
  const Time now = clock_.now();
  core::Notice notice{
      .id = event_id("target-lifecycle-state-terminated-", "Terminated:" + format_time_s(now)),
      .kind = core::NoticeKind::kAsgTermination,
      .instance = {},
      .deadline = now + granted_,
      .source = "imds",
      .detail = {},
      .received = now};
  notice_(std::move(notice));
  return "asg";
}

}  // namespace spotkeeper::sources
