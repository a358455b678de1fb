// SPDX-License-Identifier: Apache-2.0
// Where a request goes: its URL taken apart; private to src/http. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "http/message.h"

namespace spotkeeper::http {

struct Target {
  std::string scheme;  // "http" or "https"
  std::string host;    // IPv6 addresses in brackets, as in the URL
  std::string port;    // always there: the scheme's own when the URL names none
  std::string rest;    // path and query, as given
  std::string label;   // "GET https://host:port/path" for messages: without user and query
};

// An Error (kPermanent) when the URL is not an absolute http or https URL.
Result<Target> parse_target(const Request& request);

// Loopback and link-local addresses, where the instance's own services are: a proxy taken from the
// environment never serves them.
bool is_local(const std::string& host);

}  // namespace spotkeeper::http
