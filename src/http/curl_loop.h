// SPDX-License-Identifier: Apache-2.0
// libcurl's multi handle on the event loop; private to src/http. curl owns its sockets: we watch
// the descriptors it names and tell it what became ready. curl's callbacks only note its wishes and
// never call back into it. Shared by a Client and its running transfers; no failure of its own:
// what goes wrong is reported per transfer.
//
// Connections share TLS sessions: all but the first to a server resume one, which spares both sides
// the certificates. A resumed session was verified under the same CA and names.
#pragma once

#include <curl/curl.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <unordered_map>

namespace spotkeeper::http {

class CurlLoop : public std::enable_shared_from_this<CurlLoop> {
 public:
  // What CURLOPT_PRIVATE of every added handle points to.
  class Completion {
   public:
    virtual void completed(CURLcode code) = 0;  // must not start or end transfers

   protected:
    ~Completion() = default;
  };

  explicit CurlLoop(boost::asio::any_io_executor executor);
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  // A handle with nothing set but what all of them share; throws std::bad_alloc. Handles are used
  // again for some seconds, as making one costs as much as a request. Not for ever: a handle keeps
  // what resolv.conf said when it was made.
  struct Handle {
    CURL* easy = nullptr;
    std::chrono::steady_clock::time_point made;
  };
  Handle take();
  void give_back(Handle handle);

  void add(CURL* easy);
  void remove(CURL* easy);

  size_t in_flight() const { return in_flight_; }
  const boost::asio::any_io_executor& executor() const { return executor_; }

 private:
  struct Watch;

  static int on_socket(CURL* easy, curl_socket_t fd, int wish, void* self, void* unused);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);

  void watch(curl_socket_t fd, int wish);
  void unwatch(curl_socket_t fd);
  void wait_for_wishes(curl_socket_t fd, const std::shared_ptr<Watch>& watch);
  void act(curl_socket_t fd, int ready);

  boost::asio::any_io_executor executor_;
  boost::asio::steady_timer timer_;
  CURLM* multi_;
  CURLSH* share_;
  std::deque<Handle> idle_;
  std::unordered_map<curl_socket_t, std::shared_ptr<Watch>> watches_;
  size_t in_flight_ = 0;
};

}  // namespace spotkeeper::http
