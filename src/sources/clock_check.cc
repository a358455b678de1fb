// SPDX-License-Identifier: Apache-2.0
#include "sources/clock_check.h"

namespace spotkeeper::sources {
namespace {

constexpr Time kProgramWritten = Time(std::chrono::sys_days(std::chrono::year(2025) / 6 / 1));
constexpr Millis kNearEnough{2'000};
constexpr Millis kFar = std::chrono::minutes(15);
// AWS announces interruptions two minutes ahead; an agent may hear of one when it is past.
constexpr Millis kNoticeSpan = std::chrono::minutes(5);
constexpr int kSaidTimes = 3;
constexpr Millis kPrompt{2'000};

}  // namespace

std::optional<Millis> ClockCheck::heard(const aws::ServerTime& time, std::optional<Time> notice) {
  if (time.date < kProgramWritten) return std::nullopt;
  // AWS's clock said `date` or up to a second more at some moment between `sent` and `received`.
  const Millis least = time.date - time.received;
  const Millis most = time.date + Seconds(1) - time.sent;
  const Millis behind = (least + most) / 2;
  const Millis doubt = (most - least) / 2 - Millis(500);  // of an answer that took long
  if (std::chrono::abs(behind) <= kNearEnough + doubt) {
    far_in_a_row_ = 0;
    return Millis(0);
  }
  if (!believed(time, behind, notice)) return std::nullopt;
  far_in_a_row_ = 0;
  return behind;
}

std::optional<Millis> ClockCheck::answered(const aws::ServerTime& time) {
  const std::optional<Millis> behind = heard(time, time.date);
  if (!behind || *behind == Millis(0) || time.received - time.sent <= kPrompt) return behind;
  // It is wrong for certain. The Date of an answer is written when there is one: at the end.
  return time.date + Millis(500) - time.received;
}

bool ClockCheck::believed(const aws::ServerTime& time, Millis behind, std::optional<Time> notice) {
  if (std::chrono::abs(behind) <= kFar || time.received < kProgramWritten) return true;
  if (notice && std::chrono::abs(*notice - time.date) <= kNoticeSpan) return true;
  const bool same = far_ && std::chrono::abs(*far_ - behind) <= kNearEnough;
  far_ = behind;
  far_in_a_row_ = same ? far_in_a_row_ + 1 : 1;
  return far_in_a_row_ >= kSaidTimes;
}

}  // namespace spotkeeper::sources
