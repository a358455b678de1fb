// SPDX-License-Identifier: Apache-2.0
#include "template/utf8.h"

#include <cstdint>

namespace spotkeeper::tmpl {
namespace {

bool within(char32_t rune, char32_t first, char32_t last) {
  return rune >= first && rune <= last;
}

// Blocks in which upper and lower case alternate, beginning with an upper one at `first`.
bool alternates_from_even(char32_t rune) {
  return within(rune, 0x100, 0x12F) || within(rune, 0x132, 0x137) || within(rune, 0x14A, 0x177) ||
         within(rune, 0x460, 0x481) || within(rune, 0x48A, 0x4BF) || within(rune, 0x4D0, 0x52F) ||
         within(rune, 0x1E00, 0x1E95) || within(rune, 0x1EA0, 0x1EFF);
}
bool alternates_from_odd(char32_t rune) {
  return within(rune, 0x139, 0x148) || within(rune, 0x179, 0x17E) || within(rune, 0x4C1, 0x4CE);
}

}  // namespace

Rune rune_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) -> uint32_t {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0;
  };
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0U) == 0x80; };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {.value = lead, .width = 1};
  if (lead >= 0xC2 && lead <= 0xDF && follows(1)) {
    return {.value = (lead & 0x1FU) << 6 | (byte(1) & 0x3FU), .width = 2};
  }
  if (lead >= 0xE0 && lead <= 0xEF && follows(1) && follows(2)) {
    const char32_t rune = (lead & 0xFU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
    if (rune >= 0x800 && !within(rune, 0xD800, 0xDFFF)) return {.value = rune, .width = 3};
  }
  if (lead >= 0xF0 && lead <= 0xF4 && follows(1) && follows(2) && follows(3)) {
    const char32_t rune =
        (lead & 7U) << 18 | (byte(1) & 0x3FU) << 12 | (byte(2) & 0x3FU) << 6 | (byte(3) & 0x3FU);
    if (within(rune, 0x10000, 0x10FFFF)) return {.value = rune, .width = 4};
  }
  return {};
}

void append_rune(std::string& out, char32_t rune) {
  const auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (rune > 0x10FFFF || within(rune, 0xD800, 0xDFFF)) rune = kBadRune;
  if (rune < 0x80) {
    put(rune);
  } else if (rune < 0x800) {
    put(0xC0U | rune >> 6);
    put(0x80U | (rune & 0x3FU));
  } else if (rune < 0x10000) {
    put(0xE0U | rune >> 12);
    put(0x80U | (rune >> 6 & 0x3FU));
    put(0x80U | (rune & 0x3FU));
  } else {
    put(0xF0U | rune >> 18);
    put(0x80U | (rune >> 12 & 0x3FU));
    put(0x80U | (rune >> 6 & 0x3FU));
    put(0x80U | (rune & 0x3FU));
  }
}

size_t count_runes(std::string_view text) {
  size_t runes = 0;
  for (size_t at = 0; at < text.size(); at += rune_at(text, at).width) runes++;
  return runes;
}

char32_t upper_rune(char32_t rune) {
  if (within(rune, 'a', 'z') || within(rune, 0x3B1, 0x3C1) || within(rune, 0x3C3, 0x3CB) ||
      within(rune, 0x430, 0x44F) || (within(rune, 0xE0, 0xFE) && rune != 0xF7)) {
    return rune - 0x20;
  }
  if (rune == 0xFF) return 0x178;
  if (rune == 0xB5) return 0x39C;
  if (rune == 0x131) return 'I';
  if (rune == 0x17F) return 'S';
  if (rune == 0x3C2) return 0x3A3;
  if (within(rune, 0x450, 0x45F)) return rune - 0x50;
  if (alternates_from_even(rune)) return rune & ~char32_t{1};
  if (alternates_from_odd(rune) && rune % 2 == 0) return rune - 1;
  return rune;
}

char32_t lower_rune(char32_t rune) {
  if (within(rune, 'A', 'Z') || within(rune, 0x391, 0x3A1) || within(rune, 0x3A3, 0x3AB) ||
      within(rune, 0x410, 0x42F) || (within(rune, 0xC0, 0xDE) && rune != 0xD7)) {
    return rune + 0x20;
  }
  if (rune == 0x178) return 0xFF;
  if (rune == 0x130) return 'i';
  if (rune == 0x1E9E) return 0xDF;
  if (within(rune, 0x400, 0x40F)) return rune + 0x50;
  if (alternates_from_even(rune)) return rune | 1;
  if (alternates_from_odd(rune) && rune % 2 == 1) return rune + 1;
  return rune;
}

bool is_letter_or_digit(char32_t rune) {
  if (rune < 0x80) {
    return within(rune, '0', '9') || within(rune, 'a', 'z') || within(rune, 'A', 'Z');
  }
  if (rune < 0x100)
    return rune == 0xAA || rune == 0xB5 || rune == 0xBA ||
           (rune >= 0xC0 && rune != 0xD7 && rune != 0xF7);
  return is_print(rune) && !within(rune, 0x2000, 0x206F) && !within(rune, 0x2190, 0x2BFF) &&
         !within(rune, 0x3000, 0x3004) && !within(rune, 0x1F000, 0x1FAFF) && rune != kBadRune;
}

bool is_space_rune(char32_t rune) {
  return within(rune, 9, 13) || rune == ' ' || rune == 0x85 || rune == 0xA0 || rune == 0x1680 ||
         within(rune, 0x2000, 0x200A) || rune == 0x2028 || rune == 0x2029 || rune == 0x202F ||
         rune == 0x205F || rune == 0x3000;
}

bool is_print(char32_t rune) {
  if (rune < 0x80) return within(rune, ' ', '~');
  if (rune < 0xA1 || rune == 0xAD || is_space_rune(rune)) return false;
  const bool joins_or_turns = within(rune, 0x200B, 0x200F) || within(rune, 0x202A, 0x202E) ||
                              within(rune, 0x2060, 0x206F) || rune == 0xFEFF || rune == 0x61C;
  const bool is_private = within(rune, 0xE000, 0xF8FF) || rune >= 0xE0000;
  return !joins_or_turns && !is_private && !within(rune, 0xD800, 0xDFFF) &&
         !within(rune, 0xFFF0, 0xFFFB) && (rune & 0xFFFEU) != 0xFFFE;
}

}  // namespace spotkeeper::tmpl
