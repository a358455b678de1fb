// SPDX-License-Identifier: Apache-2.0
// Everything a curl handle has to be told about a request; private to src/http. The strings that
// curl does not copy (body, certificates) must outlive the transfer.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "http/client.h"
#include "http/target.h"

namespace spotkeeper::http {

struct ListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, ListFree>;

// Appends; throws std::bad_alloc when there is no memory.
void append(List& list, const std::string& line);

// Whether another name than the URL's host is to be sent and verified. curl takes that name from
// its URL: so the URL's host is replaced, and CURLOPT_CONNECT_TO leads back to the real one.
bool is_renamed(const Target& target, const ClientOptions& options);

// The request's headers in curl's form. kPermanent when a name or value would break the message.
Result<List> header_list(const Request& request, const Target& target,
                         const ClientOptions& options);

// Method, URL, body, limits.
void set_request(CURL* easy, const Request& request, const Target& target,
                 const ClientOptions& options);

// Certificates: options.ca_pem, else options.ca_file, else `system_ca` vouch for the server.
void set_tls(CURL* easy, const ClientOptions& options, const std::string& system_ca);

// The transfer's connection has something moving on it for as long as it lasts: it keeps the
// buffers that others are without while idle.
void keep_buffers(CURL* easy);

// A proxy that is itself reached over TLS is not part of a cluster: `system_ca` vouches for it.
void set_proxy(CURL* easy, const Target& target, const ClientOptions& options,
               const std::string& system_ca);

}  // namespace spotkeeper::http
