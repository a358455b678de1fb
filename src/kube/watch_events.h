// SPDX-License-Identifier: Apache-2.0
// A watch's body: one JSON event a line, in pieces that end anywhere. Splits it into lines and
// reads an event's head. Bounded: a line over the limit is an Error (kPermanent), after which the
// splitter is of no more use.
// Source: Kubernetes API concepts, meta/v1 WatchEvent.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace spotkeeper::kube {

class LineSplitter {
 public:
  explicit LineSplitter(size_t longest) : longest_(longest) {}

  // Takes the next piece of the body. Call next() until it answers nothing before the next add().
  // Gives back memory that is not needed any more.
  std::string add(std::string piece);

  // The next complete line without its end; valid until the next add(). Empty lines are left out.
  Result<std::optional<std::string_view>> next();

  // A line has begun and is not complete.
  bool has_part() const { return begin_ < buffer_.size(); }

 private:
  size_t longest_;
  std::string buffer_;
  size_t begin_ = 0;    // of what was not handed out yet
  size_t scanned_ = 0;  // there is no line end in [begin_, scanned_)
};

enum class EventType {
  kChanged,   // ADDED or MODIFIED
  kDeleted,   // the object's last state
  kBookmark,  // only a newer resourceVersion
  kError,     // the object is a Status
  kUnknown,   // a type of the future: left out
};

EventType event_type(const boost::json::value& event);

}  // namespace spotkeeper::kube
