// SPDX-License-Identifier: Apache-2.0
// Strong string types: an instance id cannot be passed where a node name is wanted, and a secret
// cannot be printed.
#pragma once

#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace spotkeeper {

// As a <=> b. Most texts that are compared differ in their first bytes.
inline std::strong_ordering compare_text(const std::string& a, const std::string& b) {
  constexpr size_t kWord = sizeof(uint64_t);
  if (a.size() >= kWord && b.size() >= kWord) {
    uint64_t left = 0;
    uint64_t right = 0;
    std::memcpy(&left, a.data(), kWord);
    std::memcpy(&right, b.data(), kWord);
    if (left != right) {
      if constexpr (std::endian::native == std::endian::little) {
        return std::byteswap(left) <=> std::byteswap(right);
      } else {
        return left <=> right;
      }
    }
  }
  return a <=> b;
}

template <class Tag>
struct Strong {
  std::string value;

  Strong() = default;
  explicit Strong(std::string v) : value(std::move(v)) {}

  bool empty() const { return value.empty(); }
  bool operator==(const Strong&) const = default;
  std::strong_ordering operator<=>(const Strong& other) const {
    return compare_text(value, other.value);
  }
};

// A token, password or key. Has no stream operator and no formatter; reveal() is the one way out
// and is called only where the secret is put on the wire.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  bool empty() const { return value_.empty(); }
  const std::string& reveal() const { return value_; }
  bool operator==(const Secret&) const = default;

 private:
  std::string value_;
};

}  // namespace spotkeeper
