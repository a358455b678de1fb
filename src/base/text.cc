// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <utility>

namespace spotkeeper {
namespace {

constexpr size_t kLongestLine = 512;

}  // namespace

std::string cut(std::string text, size_t most) {
  if (text.size() <= most) return text;
  size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text;
}

std::string one_line(std::string text) {
  if (text.size() > kLongestLine) text = cut(std::move(text), kLongestLine) + "…";
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  return text;
}

}  // namespace spotkeeper
