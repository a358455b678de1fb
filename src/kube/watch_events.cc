// SPDX-License-Identifier: Apache-2.0
#include "kube/watch_events.h"

#include <utility>

#include "base/json.h"

namespace spotkeeper::kube {

std::string LineSplitter::add(std::string piece) {
  if (begin_ == buffer_.size()) {
    buffer_.swap(piece);
    scanned_ = 0;
  } else {
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    buffer_ += piece;
  }
  begin_ = 0;
  return piece;
}

Result<std::optional<std::string_view>> LineSplitter::next() {
  for (;;) {
    const size_t end = buffer_.find('\n', scanned_);
    const size_t size = (end == std::string::npos ? buffer_.size() : end) - begin_;
    if (size > longest_) {
      return permanent("an event is larger than " + std::to_string(longest_) + " bytes");
    }
    if (end == std::string::npos) {
      scanned_ = buffer_.size();
      return std::nullopt;
    }
    std::string_view line(buffer_.data() + begin_, size);
    begin_ = end + 1;
    scanned_ = begin_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) return line;
  }
}

EventType event_type(const boost::json::value& event) {
  const std::string type = text_at(event, {"type"});
  if (type == "ADDED" || type == "MODIFIED") return EventType::kChanged;
  if (type == "DELETED") return EventType::kDeleted;
  if (type == "BOOKMARK") return EventType::kBookmark;
  if (type == "ERROR") return EventType::kError;
  return EventType::kUnknown;
}

}  // namespace spotkeeper::kube
