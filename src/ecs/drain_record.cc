// SPDX-License-Identifier: Apache-2.0
#include "ecs/drain_record.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace spotkeeper::ecs {
namespace {

constexpr size_t kLongestValue = 128;

bool is_taken(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("-_.@/\\: ").contains(c);
}

}  // namespace

bool is_recorded(const core::Notice& notice) {
  return notice.kind == core::NoticeKind::kManual || !core::is_hard(notice);
}

std::string record_of(const core::Notice& notice) {
  std::string value = std::string(core::to_string(notice.kind)) + "/";
  if (notice.deadline != kNever) value += format_time_s(notice.deadline);
  value += "/" + notice.id.value;
  value.resize(std::min(value.size(), kLongestValue));
  std::ranges::replace_if(value, [](char c) { return !is_taken(c); }, '-');
  if (value.back() == ' ') value.back() = '-';
  return value;
}

std::optional<core::Notice> recorded_notice(const aws::ContainerInstance& instance) {
  const auto found = instance.attributes.find(kDrainAttribute);
  if (found == instance.attributes.end()) return std::nullopt;
  const std::string& value = found->second;
  const size_t first = value.find('/');
  const size_t second = first == std::string::npos ? first : value.find('/', first + 1);
  if (second == std::string::npos) return std::nullopt;
  const auto kind = core::parse_kind(value.substr(0, first));
  core::Notice notice;
  notice.id = core::NoticeId(value.substr(second + 1));
  if (!kind || notice.id.empty()) return std::nullopt;
  notice.kind = *kind;
  notice.instance = core::InstanceId(instance.ec2_instance_id);
  notice.source = kDrainAttribute;
  if (!parse_time(value.substr(first + 1, second - first - 1), notice.deadline)) {
    notice.deadline = kNever;
  }
  return notice;
}

bool goes_on_with(const core::Notice& recorded, const core::Notice& notice) {
  const auto by_hand = [](const core::Notice& one) {
    return one.kind == core::NoticeKind::kManual;
  };
  return by_hand(recorded) == by_hand(notice);
}

}  // namespace spotkeeper::ecs
