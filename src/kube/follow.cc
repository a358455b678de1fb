// SPDX-License-Identifier: Apache-2.0
#include "kube/follow.h"

#include <algorithm>
#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>

#include "async/timing.h"
#include "base/json.h"
#include "kube/object_parser.h"
#include "kube/watch_events.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;
using Steady = std::chrono::steady_clock;

constexpr int kUnopened = 3;               // watches that cannot be opened: list again
constexpr Seconds kLongestUrgentPause{5};  // that a server may ask for
constexpr size_t kEventRoom = 16384;       // bytes: most objects of an event, as they are parsed

// How a watch ended, and so what comes next.
enum class End {
  kOrderly,  // by the server, as asked: watch again at once
  kResume,   // weather: watch again from the last version, after a pause
  kRelist,   // what we know is too old or in doubt: list, after a pause
  kExpired,  // 410: list at once, unless it just happened
  kRefused,  // 403: list every now and then
};

// The Error of an ERROR event, whose object is a Status with the HTTP code in it.
Error event_error(const std::string& what, const json::value& event) {
  http::Response answer;
  const json::value* status = find(event, {"object"});
  if (status != nullptr) {
    answer.status =
        static_cast<int>(std::clamp<int64_t>(number_at(*status, {"code"}, 500), 400, 599));
    answer.body = json::serialize(*status);
  } else {
    answer.status = 500;
  }
  return api_error(what, answer);
}

class Follower {
 public:
  Follower(Api& api, Listing listing, Feed& feed, FollowLimits limits)
      : api_(api), listing_(std::move(listing)), feed_(feed), limits_(limits) {}

  Task<> run();

 private:
  struct Ended {
    End how;
    Error error = {};
  };

  Task<Result<void>> list();
  Task<> watch_until_relist();
  Task<Ended> watch();
  static Ended ended_by_server(const std::string& what, bool in_an_event);
  std::optional<Ended> take_event(std::string_view line);
  Task<> pause(const Error& error);
  Task<> poll();

  Api& api_;
  Listing listing_;
  Feed& feed_;
  FollowLimits limits_;
  ObjectParser events_;
  std::string version_;        // the last resourceVersion seen
  int failures_ = 0;           // in a row
  int unopened_ = 0;           // watches in a row that could not be opened, as the weather was
  int refusals_ = 0;           // of the watch, in a row
  Steady::time_point opened_;  // when the last watch was answered
};

Task<> Follower::run() {
  for (;;) {
    const Result<void> listed = co_await list();
    if (listed) {
      co_await watch_until_relist();
    } else {
      co_await pause(listed.error());
    }
  }
}

// Every page; the feed hears begin_list, each object, and end_list when all pages came; from the
// beginning, as long as the feed wants it.
Task<Result<void>> Follower::list() {
  ListSink sink{.begin = [this] { feed_.begin_list(); },
                .object = [this](const json::value& object) { feed_.put(object); },
                .left_out = [this](const Error& error) { feed_.failed(error); }};
  do {
    Result<std::string> version = co_await read_list(api_, listing_, sink, limits_.list);
    if (!version) co_return std::unexpected(version.error());
    version_ = std::move(*version);
  } while (feed_.end_list());
  co_return Result<void>();
}

Task<> Follower::watch_until_relist() {
  for (;;) {
    const auto began = Steady::now();
    const std::string from = version_;
    opened_ = Steady::time_point::max();
    const Ended ended = co_await watch();
    const bool lasted = opened_ < Steady::now() - limits_.shortest_watch;
    if (lasted) failures_ = 0;
    if (opened_ != Steady::time_point::max()) {
      unopened_ = refusals_ = 0;
    } else if (ended.how == End::kResume) {
      ++unopened_;
    }
    switch (ended.how) {
      case End::kOrderly:
        // A server that closes at once, again and again, must not make us spin; nor do we wait
        // longer and longer for it: it answers, and every watch may bring the next event.
        if (lasted || version_ != from) break;
        if (failures_++ == 0) feed_.failed(ended.error);
        co_await sleep_for(
            std::chrono::ceil<Millis>(began + limits_.shortest_watch - Steady::now()));
        break;
      case End::kResume:
        co_await pause(ended.error);
        // A proxy may let lists pass and no watch: the records must not stand still.
        if (unopened_ >= kUnopened) co_return;
        break;
      case End::kRelist:
        co_await pause(ended.error);
        co_return;
      case End::kExpired:
        if (failures_ > 0) {
          co_await pause(ended.error);
        } else {
          ++failures_;
        }
        co_return;
      case End::kRefused:
        if (refusals_++ == 0) feed_.failed(ended.error);
        co_await poll();
        co_return;
    }
  }
}

// One watch, from version_ on.
Task<Follower::Ended> Follower::watch() {
  Call call = collection_call(
      listing_, "watch",
      "watch=true&allowWatchBookmarks=true&resourceVersion=" + percent_encode(version_) +
          "&timeoutSeconds=" + std::to_string(limits_.watch_timeout.count()));
  call.lasting = true;
  const std::string what = call.verb + " " + call.resource;
  const auto stream = co_await api_.open(std::move(call));
  if (!stream) {
    const Error& error = stream.error();
    if (error.status == 410) co_return Ended{.how = End::kExpired, .error = error};
    if (error.status == 403) co_return Ended{.how = End::kRefused, .error = error};
    const bool weather = error.kind == ErrorKind::kRetryable;
    co_return Ended{.how = weather ? End::kResume : End::kRelist, .error = error};
  }
  opened_ = Steady::now();
  LineSplitter lines(limits_.max_event);
  std::string spare;
  for (;;) {
    Result<std::string> piece = co_await (*stream)->read(limits_.silence, std::move(spare));
    if (!piece) co_return Ended{.how = End::kResume, .error = piece.error().within(what)};
    if (piece->empty()) co_return ended_by_server(what, lines.has_part());
    spare = lines.add(std::move(*piece));
    for (;;) {
      const auto line = lines.next();
      if (!line) co_return Ended{.how = End::kRelist, .error = line.error().within(what)};
      if (!*line) break;
      std::optional<Ended> ended = take_event(**line);
      if (ended) co_return std::move(*ended);
    }
  }
}

// Part of an event: a proxy has cut the watch in its own orderly way, or answered something else.
Follower::Ended Follower::ended_by_server(const std::string& what, bool in_an_event) {
  Error error{.kind = ErrorKind::kRetryable,
              .message = what + (in_an_event ? ": ended within an event" : ": ended at once"),
              .reason = {}};
  return {.how = in_an_event ? End::kResume : End::kOrderly, .error = std::move(error)};
}

// Nothing when the watch goes on.
std::optional<Follower::Ended> Follower::take_event(std::string_view line) {
  const std::string what = "watch " + listing_.resource;
  // What the event is made of is freed as a whole, with it.
  std::array<unsigned char, kEventRoom> room{};
  json::monotonic_resource memory(room.data(), room.size());
  const std::optional<json::value> event = events_.parse(line, &memory);
  const json::value* object = event ? find(*event, {"object"}) : nullptr;
  if (object == nullptr) {
    return Ended{.how = End::kRelist,
                 .error = permanent(what + ": an event that is not JSON or has no object").error()};
  }
  const EventType type = event_type(*event);
  if (type == EventType::kError) {
    Error error = event_error(what, *event);
    End how = End::kRelist;
    if (error.status == 410) how = End::kExpired;
    if (error.status == 429) how = End::kResume;  // load: a list would add to it
    return Ended{.how = how, .error = std::move(error)};
  }
  if (type == EventType::kChanged) feed_.put(*object);
  if (type == EventType::kDeleted) feed_.remove(*object);
  if (std::string version = text_at(*object, {"metadata", "resourceVersion"}); !version.empty()) {
    version_ = std::move(version);
  }
  return std::nullopt;
}

Task<> Follower::pause(const Error& error) {
  feed_.failed(error);
  ++failures_;
  const Seconds asked(error.retry_after_s);
  const Backoff backoff{
      .attempt = failures_,
      .base = limits_.backoff_base,
      .cap = limits_.backoff_cap,
      .retry_after = listing_.urgent ? std::min(asked, kLongestUrgentPause) : asked,
      .jitter = random_unit()};
  co_await sleep_for(backoff_delay(backoff));
}

// Lists again and again, until it is time to try the watch once more.
Task<> Follower::poll() {
  const auto until =
      Steady::now() + (refusals_ == 1 ? limits_.watch_again_first : limits_.watch_again);
  while (Steady::now() < until) {
    co_await sleep_for(limits_.poll);
    const Result<void> listed = co_await list();
    if (listed) {
      failures_ = 0;
    } else {
      co_await pause(listed.error());
    }
  }
}

}  // namespace

Task<> follow_feed(Api& api, Listing listing, std::unique_ptr<Feed> feed, FollowLimits limits) {
  Follower follower(api, std::move(listing), *feed, limits);
  co_await follower.run();
}

}  // namespace spotkeeper::kube
