// SPDX-License-Identifier: Apache-2.0
// What a failed transfer means, in one line for a person; private to src/http.
#pragma once

#include <curl/curl.h>

#include <string>

#include "base/result.h"

namespace spotkeeper::http {

// `label` says what was tried ("GET http://host/path"), `detail` is curl's own words, may be empty,
// `os_error` the errno of a failed connect, or 0.
Error to_error(CURLcode code, const std::string& label, const std::string& detail, long os_error);

}  // namespace spotkeeper::http
