// SPDX-License-Identifier: Apache-2.0
#include "http/target.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <boost/asio/ip/address.hpp>
#include <memory>
#include <string_view>

namespace spotkeeper::http {
namespace {

struct CurlFree {
  void operator()(char* text) const { curl_free(text); }
};
struct UrlFree {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string part(CURLU* url, CURLUPart what, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, what, &text, flags) != CURLUE_OK) return {};
  return std::unique_ptr<char, CurlFree>(text).get();
}

}  // namespace

Result<Target> parse_target(const Request& request) {
  const std::unique_ptr<CURLU, UrlFree> url(curl_url());
  const CURLUcode code =
      curl_url_set(url.get(), CURLUPART_URL, request.url.c_str(), CURLU_PATH_AS_IS);
  Target target;
  if (code == CURLUE_OK) target.scheme = part(url.get(), CURLUPART_SCHEME);
  // An embedded NUL would silently cut the URL short.
  if ((target.scheme != "http" && target.scheme != "https") ||
      request.url.find('\0') != std::string::npos) {
    return permanent(fmt::format("{} request: not an absolute http or https URL ({})",
                                 to_string(request.method),
                                 code == CURLUE_OK ? "unusable" : curl_url_strerror(code)));
  }
  target.host = part(url.get(), CURLUPART_HOST);
  target.port = part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  const std::string path = part(url.get(), CURLUPART_PATH);
  const std::string query = part(url.get(), CURLUPART_QUERY);
  target.rest = query.empty() ? path : path + "?" + query;
  const std::string named_port = part(url.get(), CURLUPART_PORT);
  target.label =
      fmt::format("{} {}://{}{}{}{}", to_string(request.method), target.scheme, target.host,
                  named_port.empty() ? "" : ":", named_port, request.secret_path ? "/…" : path);
  return target;
}

bool is_local(const std::string& host) {
  std::string_view text = host;
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  if (text == "localhost" || text.ends_with(".localhost")) return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(text, error);
  if (error) return false;
  if (address.is_loopback()) return true;
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return bytes[0] == 169 && bytes[1] == 254;
  }
  // fd00:ec2::/32 holds what 169.254/16 holds for IPv4: IMDS, Pod Identity, DNS, time.
  const auto bytes = address.to_v6().to_bytes();
  return address.to_v6().is_link_local() ||
         (bytes[0] == 0xfd && bytes[1] == 0x00 && bytes[2] == 0x0e && bytes[3] == 0xc2);
}

}  // namespace spotkeeper::http
