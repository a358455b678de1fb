// SPDX-License-Identifier: Apache-2.0
// What one template may cost. A template comes from a person or a ConfigMap, its data from a
// cluster; neither may hang the agent or eat its memory. Passing a limit is an error, never a cut.
#pragma once

#include <cstddef>

namespace spotkeeper::tmpl {

inline constexpr size_t kMostText = 64UL << 10;     // bytes of a template
inline constexpr size_t kMostOutput = 256UL << 10;  // bytes rendered
inline constexpr size_t kMostNesting = 100;         // blocks and parentheses within each other
inline constexpr size_t kMostCalls = 50;            // {{template}} within {{template}}
inline constexpr size_t kMostBodies = 300;          // blocks and templates being rendered at once
inline constexpr size_t kMostDepth = 50;            // lists and maps within each other
inline constexpr size_t kMostWork = 8UL << 20;      // see Budget
inline constexpr size_t kMostWidth = 10'000;        // of a printf verb, and its precision

// What is left of a render's work: a byte read or written costs 1, an element of a list kElement,
// a node of the template kNode. Once it is spent it stays spent.
class Budget {
 public:
  static constexpr size_t kElement = 64;
  static constexpr size_t kNode = 200;

  explicit Budget(size_t left = kMostWork) : left_(left) {}

  // False: there is not enough left, and the caller stops.
  bool spend(size_t cost) {
    if (cost > left_) {
      left_ = 0;
      spent_ = true;
      return false;
    }
    left_ -= cost;
    return true;
  }
  bool spent() const { return spent_; }
  // The most bytes that can still be made.
  size_t left() const { return left_; }

 private:
  size_t left_;
  bool spent_ = false;
};

}  // namespace spotkeeper::tmpl
