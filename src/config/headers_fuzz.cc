// SPDX-License-Identifier: Apache-2.0
// WEBHOOK_HEADERS: whatever it is, what comes out may be sent, and an error shows no value.
#include "base/fuzz.h"
#include "config/telling.h"

void spotkeeper::fuzz(std::string_view input) {
  const auto headers = config::parse_headers(std::string(input));
  if (!headers) {
    must(is_one_line(headers.error().message), "the message is one line");
    must(headers.error().message.size() < input.size() * 4 + 200, "the message is no essay");
    return;
  }
  for (const auto& [name, value] : *headers) {
    must(!name.empty() && is_one_line(name) && name.find_first_of(": \t\x7f") == name.npos,
         "a name is one word");
    must(std::ranges::none_of(value, [](char c) { return c == '\r' || c == '\n' || c == '\0'; }),
         "a value is one line");
  }
}
