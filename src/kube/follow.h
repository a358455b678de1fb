// SPDX-License-Identifier: Apache-2.0
// Follows a collection: lists it, then watches it, for ever. Keeps the records it has reported, by
// uid, so that what vanished between two lists is reported gone. Runs as one task until cancelled
// and never gives up: every failure is reported to the sink and followed by a pause of 200 ms to
// 10 s, or of up to a minute (5 s when urgent) where the server asks for it (Retry-After).
// Callbacks run inside the task and must not block; the Api must outlive the task.
//
// Where watching is forbidden and listing is not, it lists every 2 s, says so once through
// `failed`, and tries the watch again after 10 s and then every 5 minutes. Where a watch cannot be
// opened three times in a row, each further failure lists again, too.
// Source: Kubernetes API concepts, "Efficient detection of changes", "Watch bookmarks".
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "async/task.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "kube/api.h"
#include "kube/list.h"
#include "kube/trace.h"

namespace spotkeeper::kube {

// Every function may be empty.
template <class T>
struct Sink {
  // Objects of which it says no are neither kept nor told; one that was is gone.
  std::function<bool(const boost::json::value&)> keep = {};
  // New, or another resourceVersion than last reported.
  std::function<void(const T&)> changed = {};
  // Deleted, or no longer selected; the last state known: all of it, or what a Trace keeps.
  std::function<void(const T&)> gone = {};
  // A list is complete: what was reported is all there is. After every list.
  std::function<void()> synced = {};
  // Asked then: whether `keep` wants more than it did. Another list follows at once, and tells
  // everything anew.
  std::function<bool()> again = {};
  // What just went wrong, the pause follows; or an object that could not be decoded and was left
  // out. For logs and counters.
  std::function<void(const Error&)> failed = {};
};

// Intervals and limits, as they are in production; tests make them short.
struct FollowLimits {
  size_t max_event = size_t{2} * 1024 * 1024;  // a larger watch event: list again
  ListLimits list;
  Seconds watch_timeout{290};    // what we ask the server to end a watch after
  Millis silence{100'000};       // no byte for so long (bookmarks come each minute): cut
  Millis shortest_watch{1'000};  // the server ends them sooner: one in this time
  Millis backoff_base{200};
  Millis backoff_cap{10'000};
  Millis poll{2'000};                // between lists where watching is forbidden
  Millis watch_again_first{10'000};  // before it is tried again there: the first time
  Millis watch_again{300'000};       // and from then on
};

// What the untemplated half talks to. Objects are handed over as they came.
class Feed {
 public:
  virtual ~Feed() = default;
  virtual void begin_list() = 0;
  virtual void put(const boost::json::value& object) = 0;
  virtual void remove(const boost::json::value& object) = 0;
  virtual bool end_list() = 0;  // only after a complete list; true: list again
  virtual void failed(const Error& error) = 0;
};

Task<> follow_feed(Api& api, Listing listing, std::unique_ptr<Feed> feed, FollowLimits limits);

// Keeps records by uid and tells the sink what changed. T has `uid` and `resource_version`.
template <class T>
class Records final : public Feed {
 public:
  using Decode = Result<T> (*)(const boost::json::value&);
  Records(Decode decode, Sink<T> sink) : decode_(decode), sink_(std::move(sink)) {}

  void begin_list() override { ++list_; }

  void put(const boost::json::value& object) override {
    if (sink_.keep && !sink_.keep(object)) return drop(object);
    Result<T> decoded = decode_(object);
    if (!decoded) return failed(decoded.error());
    auto [at, is_new] = records_.try_emplace(decoded->uid);
    at->second.list = list_;
    if (!is_new && !anew_ && at->second.trace.version() == decoded->resource_version) return;
    at->second.trace.follow(*decoded);
    if (sink_.changed) sink_.changed(*decoded);
  }

  void remove(const boost::json::value& object) override {
    Result<T> decoded = decode_(object);
    if (!decoded) return failed(decoded.error());
    if (records_.erase(decoded->uid) != 0 && sink_.gone) sink_.gone(*decoded);
  }

  bool end_list() override {
    for (auto at = records_.begin(); at != records_.end();) {
      if (at->second.list == list_) {
        ++at;
        continue;
      }
      const T record = std::move(at->second.trace).last(at->first);
      at = records_.erase(at);
      if (sink_.gone) sink_.gone(record);
    }
    if (sink_.synced) sink_.synced();
    return anew_ = sink_.again && sink_.again();
  }

  void failed(const Error& error) override {
    if (sink_.failed) sink_.failed(error);
  }

 private:
  void drop(const boost::json::value& object) {
    const auto found = records_.find(text_at(object, {"metadata", "uid"}));
    if (found == records_.end()) return;
    const T record = std::move(found->second.trace).last(found->first);
    records_.erase(found);
    if (sink_.gone) sink_.gone(record);
  }
  struct Entry {
    Trace<T> trace;
    uint64_t list = 0;  // the last list it was seen in or after
  };
  Decode decode_;
  Sink<T> sink_;
  std::unordered_map<std::string, Entry> records_;
  uint64_t list_ = 0;
  bool anew_ = false;  // what is known is told, too
};

template <class T>
Task<> follow(Api& api, Listing listing, Result<T> (*decode)(const boost::json::value&),
              Sink<T> sink, FollowLimits limits = {}) {
  return follow_feed(api, std::move(listing), std::make_unique<Records<T>>(decode, std::move(sink)),
                     limits);
}

}  // namespace spotkeeper::kube
