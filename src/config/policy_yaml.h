// SPDX-License-Identifier: Apache-2.0
// A YAML document as a tree whose values know where they stand, and reading it strictly, so that
// what is accepted means the same to every reader of YAML. For policy_file.cc only. Errors are
// kPermanent and one line: "FILE:LINE: rules[1].mode: WHAT".
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace spotkeeper::config {

struct YamlValue {
  std::string file;
  std::string name;  // "rules[1].mode"; empty: the document
  int line = 0;      // of its key where it has one; from 1 on
  YAML::Node node;

  std::unexpected<Error> error(const std::string& what) const;

  // "'jobs'", "a list", "a map", "nothing".
  std::string found() const;

  // A text. Words that are a number, yes or no without quotes are refused: some readers take them
  // for text and others do not. `expected` is for people: "a name".
  Result<std::string> text(const std::string& expected) const;

  // A text or a number, as it is written.
  Result<std::string> scalar(const std::string& expected) const;

  // The values of a list. `expected`: "a list of names".
  Result<std::vector<YamlValue>> items(const std::string& expected) const;

  // The members of a map, in its order, each key once.
  struct Member;
  Result<std::vector<Member>> members(const std::string& expected) const;
};

struct YamlValue::Member {
  std::string key;
  YamlValue value;
};

struct YamlKey {
  const char* name;
  std::function<Result<void>(const YamlValue&)> read;
};

// Reads the members of a map, which are all among `keys`; in the map's order.
Result<void> read_members(const YamlValue& map, const std::vector<YamlKey>& keys);

// Each word of a list, which has some, by `take`: false when it is not `expected`. `what` is one
// of them: "namespace".
Result<void> read_words(const YamlValue& list, const std::string& what, const std::string& expected,
                        const std::function<bool(const std::string&)>& take);

// The one document in `text`. Aliases are refused, and with them those of aliases of aliases that
// are larger in memory than any machine.
Result<YamlValue> load_yaml(const std::string& text, const std::string& file);

// Somebody's words, in quotes, on one line, shortened when they are many.
std::string quoted(const std::string& words);

}  // namespace spotkeeper::config
