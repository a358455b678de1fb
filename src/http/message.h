// SPDX-License-Identifier: Apache-2.0
// HTTP messages as values, shared by the client and the server.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace spotkeeper::http {

enum class Method { kGet, kPut, kPost, kPatch, kDelete };

const char* to_string(Method method);

struct Header {
  std::string name;
  std::string value;
};
using Headers = std::vector<Header>;

// The first header of that name (case-insensitive), or nullptr.
const std::string* find_header(const Headers& headers, std::string_view name);

// Its Date.
std::optional<Time> date_of(const Headers& headers);

// How long Retry-After asks to wait, an hour at most: seconds, or a date, which counts from the
// answer's Date. Nothing when it does not. RFC 9110, 10.2.3.
std::optional<Millis> retry_after(const Headers& headers);

struct Request {
  Method method = Method::kGet;
  std::string url;  // absolute, http or https
  Headers headers = {};
  std::string body = {};
  Millis connect_timeout{3'000};
  Millis timeout{10'000};               // the whole exchange; 0 = no limit (a watch)
  size_t max_body = 4uz * 1024 * 1024;  // a larger answer to send() is an error
  // On a connection of its own. One that is kept may have ended meanwhile; a request that meets its
  // end is sent again, even where the server had it and only its answer was lost.
  bool fresh_connection = false;
  bool lasting = false;      // something moves on its connection to the end: it keeps its buffers
  bool secret_path = false;  // errors name the host only (a webhook whose path is its key)
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;

  bool ok() const { return status >= 200 && status < 300; }
};

}  // namespace spotkeeper::http
