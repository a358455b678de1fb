// SPDX-License-Identifier: Apache-2.0
// A value in a template: what the caller hands in, and what expressions yield. Immutable; copies
// are cheap and share their contents. Whoever holds one owns it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"

namespace spotkeeper::tmpl {

class Budget;

enum class Kind {
  kMissing,  // the value of a key that a map does not have; prints as <no value>
  kNil,
  kBool,
  kInt,
  kFloat,
  kText,
  kTime,
  kList,
  kMap,     // keys are texts, in order
  kRecord,  // named fields, in the order of their declaration; an unknown one is an error
};

class Value;
using List = std::vector<Value>;
using Map = std::map<std::string, Value, std::less<>>;
using Fields = std::vector<std::pair<std::string, Value>>;

// Go's zero time, 0001-01-01T00:00:00Z: "not set".
inline constexpr Time kZeroTime = Time(Millis(-62135596800000));

class Value {
 public:
  Value() = default;  // kMissing
  static Value nil();
  static Value boolean(bool value);
  static Value number(int64_t value);
  static Value real(double value);
  static Value text(std::string value);
  static Value time(Time value);  // brought into the years 1 to 9999
  static Value list(List items);
  static Value texts(const std::vector<std::string>& items);
  static Value map(Map entries);
  // All values are texts: a missing key, asked for by `index`, is "".
  static Value text_map(const std::map<std::string, std::string>& entries);
  static Value record(Fields fields);

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool is(Kind kind) const { return this->kind() == kind; }
  bool is_nil() const { return kind() <= Kind::kNil; }

  // Only when is() says so.
  bool boolean() const { return std::get<bool>(data_); }
  int64_t number() const { return std::get<int64_t>(data_); }
  double real() const { return std::get<double>(data_); }
  const std::string& text() const { return *std::get<Text>(data_); }
  Time time() const { return std::get<Time>(data_); }
  const List& list() const { return *std::get<Items>(data_); }
  const Map& map() const { return std::get<Entries>(data_)->entries; }
  bool of_texts() const { return std::get<Entries>(data_)->of_texts; }
  const Fields& fields() const { return *std::get<Record>(data_); }

  // The field of a record; nullptr when there is none.
  const Value* field(std::string_view name) const;

  // As Go's templates judge a condition: not zero, not empty, not nil.
  bool truth() const;
  // As sprig's `empty`: the same.
  bool empty() const { return !truth(); }
  // How many lists, maps and records are within each other here; 0 for a plain value.
  size_t depth() const { return depth_; }
  // What passing it to a function costs, for the budget.
  size_t weight() const;
  // As Go calls the type: "string", "int", "map[string]interface {}".
  const char* type() const;

 private:
  struct Nil {};
  struct MapData {
    Map entries;
    bool of_texts = false;
  };
  using Text = std::shared_ptr<const std::string>;
  using Items = std::shared_ptr<const List>;
  using Entries = std::shared_ptr<const MapData>;
  using Record = std::shared_ptr<const Fields>;
  // In the order of Kind.
  std::variant<std::monostate, Nil, bool, int64_t, double, Text, Time, Items, Entries, Record>
      data_;
  size_t depth_ = 0;
};

// Equal in kind and contents, all the way down; false, too, when the budget does not reach.
bool same(const Value& a, const Value& b, Budget& budget);

}  // namespace spotkeeper::tmpl
