// SPDX-License-Identifier: Apache-2.0
#include "http/curl_loop.h"

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <new>
#include <utility>

#include "http/client.h"

namespace spotkeeper::http {

namespace asio = boost::asio;
using boost::system::error_code;
using Steady = std::chrono::steady_clock;

namespace {

// A busy moment's handles; idle ones cost some 20 KiB each.
constexpr size_t kIdleHandles = 4;  // at least; while busy as many as are in use
constexpr std::chrono::seconds kHandleLife{10};

CURLM* make_multi() {
  // Once per process, before any other use of curl. Never undone: curl lives as long as we do.
  static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* multi = global == CURLE_OK ? curl_multi_init() : nullptr;
  if (multi == nullptr) throw std::bad_alloc();
  return multi;
}

CURLSH* make_share() {
  CURLSH* share = curl_share_init();
  if (share == nullptr) throw std::bad_alloc();
  curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  return share;
}

}  // namespace

// One descriptor of curl's. Outlives its entry in the map while a wait on it is under way.
struct CurlLoop::Watch {
  explicit Watch(const asio::any_io_executor& executor) : descriptor(executor) {}

  asio::posix::stream_descriptor descriptor;
  int wish = 0;       // CURL_POLL_IN | CURL_POLL_OUT: curl's latest
  int under_way = 0;  // the same bits: at most one wait a direction
  bool dead = false;  // curl is done with it; the number may already be another socket
};

CurlLoop::CurlLoop(asio::any_io_executor executor)
    : executor_(std::move(executor)),
      timer_(executor_),
      multi_(make_multi()),
      share_(make_share()) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kKeptConnections);
}

CurlLoop::~CurlLoop() {
  for (const Handle& idle : idle_) curl_easy_cleanup(idle.easy);
  curl_multi_cleanup(multi_);  // closes idle connections; may still call on_socket and on_timer
  while (!watches_.empty()) unwatch(watches_.begin()->first);
  curl_share_cleanup(share_);
}

CurlLoop::Handle CurlLoop::take() {
  while (!idle_.empty()) {
    const Handle last = idle_.back();
    idle_.pop_back();
    if (Steady::now() - last.made < kHandleLife) return last;
    curl_easy_cleanup(last.easy);
  }
  const Handle fresh{.easy = curl_easy_init(), .made = Steady::now()};
  if (fresh.easy == nullptr) throw std::bad_alloc();
  curl_easy_setopt(fresh.easy, CURLOPT_SHARE, share_);
  return fresh;
}

void CurlLoop::give_back(Handle handle) {
  curl_easy_reset(handle.easy);
  idle_.push_back(handle);
  while (idle_.size() > std::max(kIdleHandles, in_flight_)) {
    curl_easy_cleanup(idle_.front().easy);
    idle_.pop_front();
  }
}

void CurlLoop::add(CURL* easy) {
  curl_multi_add_handle(multi_, easy);
  ++in_flight_;
}

void CurlLoop::remove(CURL* easy) {
  curl_multi_remove_handle(multi_, easy);
  --in_flight_;
}

int CurlLoop::on_socket(CURL* /*easy*/, curl_socket_t fd, int wish, void* self, void* /*unused*/) {
  auto* loop = static_cast<CurlLoop*>(self);
  if (wish == CURL_POLL_REMOVE) {
    loop->unwatch(fd);
  } else {
    loop->watch(fd, wish);
  }
  return 0;
}

// Only arms, also for 0 ms: curl must not be called from its own callback.
int CurlLoop::on_timer(CURLM* /*multi*/, long timeout_ms, void* self) {
  auto* loop = static_cast<CurlLoop*>(self);
  if (timeout_ms < 0) {
    loop->timer_.cancel();
    return 0;
  }
  if (timeout_ms == 0) {
    loop->timer_.cancel();
    asio::post(loop->executor_, [weak = loop->weak_from_this()] {
      if (const auto alive = weak.lock()) alive->act(CURL_SOCKET_TIMEOUT, 0);
    });
    return 0;
  }
  loop->timer_.expires_after(std::chrono::milliseconds(timeout_ms));
  loop->timer_.async_wait([weak = loop->weak_from_this()](error_code error) {
    const auto alive = weak.lock();
    if (alive && !error) alive->act(CURL_SOCKET_TIMEOUT, 0);
  });
  return 0;
}

void CurlLoop::watch(curl_socket_t fd, int wish) {
  auto& watch = watches_[fd];
  if (!watch) {
    watch = std::make_shared<Watch>(executor_);
    error_code error;
    watch->descriptor.assign(fd, error);
    if (error) {  // no memory for epoll: the transfer runs into its time-out
      watches_.erase(fd);
      return;
    }
  }
  watch->wish = wish;
  wait_for_wishes(fd, watch);
}

void CurlLoop::unwatch(curl_socket_t fd) {
  const auto found = watches_.find(fd);
  if (found == watches_.end()) return;
  found->second->dead = true;
  found->second->descriptor.release();  // ends the waits; the descriptor stays open, it is curl's
  watches_.erase(found);
}

void CurlLoop::wait_for_wishes(curl_socket_t fd, const std::shared_ptr<Watch>& watch) {
  using Direction = asio::posix::stream_descriptor::wait_type;
  for (const auto& [bit, ready, direction] :
       {std::tuple{CURL_POLL_IN, CURL_CSELECT_IN, Direction::wait_read},
        std::tuple{CURL_POLL_OUT, CURL_CSELECT_OUT, Direction::wait_write}}) {
    if ((watch->wish & bit) == 0 || (watch->under_way & bit) != 0) continue;
    watch->under_way |= bit;
    watch->descriptor.async_wait(
        direction, [weak = weak_from_this(), watch, fd, bit, ready](error_code error) {
          watch->under_way &= ~bit;
          const auto alive = weak.lock();
          if (!alive || watch->dead) return;
          if ((watch->wish & bit) != 0) alive->act(fd, error ? CURL_CSELECT_ERR : ready);
          if (!watch->dead) alive->wait_for_wishes(fd, watch);
        });
  }
}

void CurlLoop::act(curl_socket_t fd, int ready) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, ready, &running);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Completion* completion = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &completion);
    completion->completed(code);
  }
}

}  // namespace spotkeeper::http
