// SPDX-License-Identifier: Apache-2.0
// Texts as runes, as Go sees them: a byte that is no UTF-8 is U+FFFD of width 1. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace spotkeeper::tmpl {

inline constexpr char32_t kBadRune = 0xFFFD;

struct Rune {
  char32_t value = kBadRune;
  size_t width = 1;  // bytes; a kBadRune of width 1 was no UTF-8
};

// The rune at `at`, which is within the text.
Rune rune_at(std::string_view text, size_t at);
// Surrogates and what is beyond U+10FFFF are written as U+FFFD.
void append_rune(std::string& out, char32_t rune);
size_t count_runes(std::string_view text);

// Without Unicode's tables: exact for ASCII, Latin, Greek and Cyrillic letters; others are left
// alone.
char32_t upper_rune(char32_t rune);
char32_t lower_rune(char32_t rune);
bool is_letter_or_digit(char32_t rune);
bool is_space_rune(char32_t rune);
// Fit to be seen. Unassigned code points count as visible.
bool is_print(char32_t rune);

}  // namespace spotkeeper::tmpl
