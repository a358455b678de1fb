// SPDX-License-Identifier: Apache-2.0
#include "http/curl_error.h"

#include <system_error>

namespace spotkeeper::http {
namespace {

std::string errno_text(long os_error) {
  std::string text = std::generic_category().message(static_cast<int>(os_error));
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

// Trust does not come back by itself, and neither does a file that is not there.
bool is_permanent(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
      return true;
    default:
      return false;
  }
}

// Our words where curl's are unclear or say too much; empty: curl's will do.
std::string summary(CURLcode code, long os_error) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return "the host's name cannot be resolved";
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "the proxy's name cannot be resolved";
    case CURLE_COULDNT_CONNECT:
      return os_error != 0 ? errno_text(os_error) : "cannot connect";
    case CURLE_GOT_NOTHING:
      return "connection closed without an answer";
    case CURLE_PARTIAL_FILE:
      return "the body was cut off";
    case CURLE_UNSUPPORTED_PROTOCOL:  // the URL's scheme has been checked: it is the answer
    case CURLE_WEIRD_SERVER_REPLY:
      return "the answer is not HTTP";
    case CURLE_SSL_CACERT_BADFILE:
      return "the file of trusted certificates cannot be read";
    case CURLE_SSL_CERTPROBLEM:
      return "the client certificate or its key cannot be used";
    default:
      return {};
  }
}

}  // namespace

Error to_error(CURLcode code, const std::string& label, const std::string& detail, long os_error) {
  std::string what = summary(code, os_error);
  if (what.empty()) what = detail.empty() ? curl_easy_strerror(code) : detail;
  // curl ends some messages with a line break.
  while (!what.empty() && (what.back() == '\n' || what.back() == ' ')) what.pop_back();
  Error error;
  error.kind = is_permanent(code) ? ErrorKind::kPermanent : ErrorKind::kRetryable;
  error.message = label + ": " + what;
  return error;
}

}  // namespace spotkeeper::http
