// SPDX-License-Identifier: Apache-2.0
// Strong string types: an instance id cannot be passed where a node name is wanted, and a secret
// cannot be printed.
#pragma once

#include <compare>
#include <string>
#include <utility>

namespace spotkeeper {

template <class Tag>
struct Strong {
  std::string value;

  Strong() = default;
  explicit Strong(std::string v) : value(std::move(v)) {}

  bool empty() const { return value.empty(); }
  auto operator<=>(const Strong&) const = default;
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
