// SPDX-License-Identifier: Apache-2.0
// HTTP(S) client: libcurl's multi interface driven by the event loop. libcurl owns its sockets, we
// only watch them. Connections are kept alive and reused per Client. A request lives on the frame
// of the coroutine that awaits it: leaving the frame (cancellation included) ends the request.
//
// Failures: an Error of kind kRetryable for everything the network can do (refused, reset,
// time-out, cut body, DNS), kPermanent for a malformed URL, a certificate that does not verify, or
// a body over the limit. An HTTP error status is not an Error: it is a Response.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "async/task.h"
#include "base/result.h"
#include "base/strong.h"
#include "http/message.h"

namespace spotkeeper::http {

// Connections a Client keeps for reuse, busy ones included. Each costs a descriptor and, with TLS,
// some 50 KiB; too few, and a burst of requests pays a handshake each.
inline constexpr long kKeptConnections = 50;

struct ClientOptions {
  std::string ca_file;          // PEM bundle that servers are verified against
  std::string ca_pem;           // the same, in memory; wins over ca_file
                                // both empty: the system's bundle (system_ca_file())
  std::string client_cert_pem;  // with client_key_pem: TLS client certificate
  Secret client_key_pem;
  bool verify = true;       // false only where a kubeconfig says insecure-skip-tls-verify
  std::string server_name;  // verify and send this name instead of the URL's host; may be empty
  std::string proxy;        // explicit proxy URL; empty: see use_environment_proxy
  bool use_environment_proxy = true;  // HTTPS_PROXY, NO_PROXY …; false for link-local addresses
  std::string user_agent = "spotkeeper/" SPOTKEEPER_VERSION;
  bool http2 = false;  // offer HTTP/2 over TLS
};

// The first CA bundle that exists among the places distributions use; empty when none does.
std::string system_ca_file();

class Stream;

class Client {
 public:
  Client(boost::asio::any_io_executor executor, ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // One exchange, body included. Throws only on cancellation.
  Task<Result<Response>> send(Request request);

  // Sends the request and returns once the answer's head is there; the body is then read piece by
  // piece. Request::timeout limits the wait for the head only; max_body does not apply.
  Task<Result<std::unique_ptr<Stream>>> open(Request request);

  // Requests that are in flight now.
  size_t in_flight() const;

 private:
  friend class Stream;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A response whose body is still arriving. Destroying it ends the request. Reading slowly holds the
// sender back: at most about 1 MiB waits in memory.
class Stream {
 public:
  struct Impl;
  explicit Stream(std::unique_ptr<Impl> impl);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int status() const;
  const Headers& headers() const;

  // The next piece of the body; an empty string is its orderly end. A body cut off midway is an
  // Error (kRetryable), as is no byte for `at_most` (kNoLimit: wait for ever).
  // `spare`: memory to use for a later piece.
  Task<Result<std::string>> read(Millis at_most, std::string spare = {});
  static constexpr Millis kNoLimit{0};

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace spotkeeper::http
