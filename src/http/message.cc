// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include <algorithm>

namespace spotkeeper::http {
namespace {

// ASCII only, and blind to the process's locale, as header names are.
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

const char* to_string(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kPut:
      return "PUT";
    case Method::kPost:
      return "POST";
    case Method::kPatch:
      return "PATCH";
    case Method::kDelete:
      return "DELETE";
  }
  return "GET";
}

const std::string* find_header(const Headers& headers, std::string_view name) {
  for (const Header& header : headers) {
    if (std::ranges::equal(header.name, name, {}, lower, lower)) return &header.value;
  }
  return nullptr;
}

}  // namespace spotkeeper::http
