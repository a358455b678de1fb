// SPDX-License-Identifier: Apache-2.0
#include "http/curl_options.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <string_view>

namespace spotkeeper::http {
namespace {

// curl's receive and send buffers, one each per running request. More buys nothing for API calls.
constexpr long kBufferSize = 16L * 1024;

// A connection on which nothing moves (a watch) is probed, so that a dead peer is noticed.
constexpr long kKeepAliveIdleS = 30;
constexpr long kKeepAliveIntervalS = 10;

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

curl_blob blob_of(const std::string& text) {
  // Not const in curl's interface; with NOCOPY it is only read.
  return {const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
}

// The buffers of a connection, 34 KiB, only while something moves on it; see keep_buffers().
CURLcode save_memory(CURL*, void* context, void*) {
  SSL_CTX_set_mode(static_cast<SSL_CTX*>(context), SSL_MODE_RELEASE_BUFFERS);
  return CURLE_OK;
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

bool is_renamed(const Target& target, const ClientOptions& options) {
  return target.scheme == "https" && !options.server_name.empty();
}

void append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  if (!list) list.reset(longer);  // a longer list keeps its head
}

Result<List> header_list(const Request& request, const Target& target,
                         const ClientOptions& options) {
  List list;
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || value.find_first_of(std::string_view("\r\n\0", 3)) != value.npos) {
      return permanent(target.label + ": header \"" + (is_token(name) ? name : "?") +
                       "\" has a name or value that may not be sent");
    }
    append(list, value.empty() ? name + ";" : name + ": " + value);  // "name:" would remove it
  }
  // What curl would add by itself to a request with a body.
  if (find_header(request.headers, "Content-Type") == nullptr) append(list, "Content-Type:");
  if (find_header(request.headers, "Expect") == nullptr) append(list, "Expect:");
  // The URL's host is replaced by server_name (see set_request), the Host header is not.
  if (is_renamed(target, options) && find_header(request.headers, "Host") == nullptr) {
    append(list, "Host: " + target.host + (target.port == "443" ? "" : ":" + target.port));
  }
  return list;
}

void set_request(CURL* easy, const Request& request, const Target& target,
                 const ClientOptions& options) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);  // what was signed is what is sent
  const std::string url =
      is_renamed(target, options)
          ? fmt::format("https://{}:{}{}", options.server_name, target.port, target.rest)
          : request.url;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());

  const bool has_body = !request.body.empty() || request.method == Method::kPut ||
                        request.method == Method::kPost || request.method == Method::kPatch;
  if (has_body) {  // also an empty one: PUT, POST and PATCH announce its length of 0
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, to_string(request.method));
  if (!options.user_agent.empty()) {
    curl_easy_setopt(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                   options.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
  if (options.http2) curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
  if (request.fresh_connection) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);

  // Request::timeout is not curl's business: the waiting coroutine keeps it (see transfer.cc).
  if (request.connect_timeout > Millis(0)) {
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(request.connect_timeout.count()));
  }
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kBufferSize);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, kBufferSize);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, kKeepAliveIdleS);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, kKeepAliveIntervalS);
}

void set_tls(CURL* easy, const ClientOptions& options, const std::string& system_ca) {
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, save_memory);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options.verify ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options.verify ? 2L : 0L);
  // Without any of these nothing verifies: our curl has no bundle of its own and does not ask
  // OpenSSL for one, so SSL_CERT_FILE and CURL_CA_BUNDLE change nothing.
  if (!options.ca_pem.empty()) {
    curl_blob blob = blob_of(options.ca_pem);
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
  } else if (const auto& file = options.ca_file.empty() ? system_ca : options.ca_file;
             !file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, file.c_str());
  }
  if (!options.client_cert_pem.empty()) {
    // Servers that ask for certificates and were not told how sessions go with them (OpenSSL's
    // session id context) end a handshake that resumes one.
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_blob certificate = blob_of(options.client_cert_pem);
    curl_blob key = blob_of(options.client_key_pem.reveal());
    curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &certificate);
    curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key);
  }
}

void keep_buffers(CURL* easy) {
  const curl_tlssessioninfo* session = nullptr;
  curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session);
  if (session == nullptr || session->internals == nullptr) return;  // no TLS
  SSL_clear_mode(static_cast<SSL*>(session->internals), SSL_MODE_RELEASE_BUFFERS);
}

void set_proxy(CURL* easy, const Target& target, const ClientOptions& options,
               const std::string& system_ca) {
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (!options.proxy.empty()) {
    curl_easy_setopt(easy, CURLOPT_PROXY, options.proxy.c_str());
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");  // explicit: NO_PROXY has no say
  } else if (!options.use_environment_proxy || is_local(target.host)) {
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    return;
  } else if (target.scheme == "http" && !is_set("http_proxy") && is_set("HTTP_PROXY")) {
    // curl fears the variable in CGI programs; Go programs, which we replace, obey it.
    curl_easy_setopt(easy, CURLOPT_PROXY, std::getenv("HTTP_PROXY"));
  }
  if (!system_ca.empty()) curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, system_ca.c_str());
}

}  // namespace spotkeeper::http
