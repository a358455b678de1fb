// SPDX-License-Identifier: Apache-2.0
#include "config/policy_yaml.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <numeric>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "config/flags.h"

namespace spotkeeper::config {
namespace {

constexpr size_t kLongestQuote = 60;
constexpr size_t kNear = 3;  // changes between two words of which one may be meant for the other

// What is looked for before the tree is built.
class Scan final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2) second_ = mark.line + 1;
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    if (alias_ == 0) alias_ = mark.line + 1;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  int second() const { return second_; }  // line of the second document; 0: there is none
  int alias() const { return alias_; }    // line of the first alias; 0: there is none

 private:
  int documents_ = 0;
  int second_ = 0;
  int alias_ = 0;
};

// Whether YAML 1.1 or 1.2 takes the word for something else than text when it has no quotes.
bool is_no_text(const std::string& word) {
  static const std::set<std::string> words{"true", "false", "yes", "no", "on", "off"};
  std::string lower;
  for (const char c : word) {
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (words.contains(lower) || lower == ".inf" || lower == ".nan") return true;
  if (std::string_view("+-.0123456789").find(word[0]) == std::string_view::npos) return false;
  std::string number = word;
  std::erase(number, '_');
  char* end = nullptr;
  std::strtod(number.c_str(), &end);
  return end == number.c_str() + number.size() && end != number.c_str();
}

// Of how many letters that are changed, put in or left out one word becomes the other.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const bool same = std::tolower(static_cast<unsigned char>(a[i])) ==
                        std::tolower(static_cast<unsigned char>(b[j]));
      const size_t changed = diagonal + (same ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

std::string unknown_key(const std::string& key, const std::vector<YamlKey>& keys) {
  const char* nearest = nullptr;
  size_t least = kNear + 1;
  std::vector<std::string> names;
  for (const YamlKey& known : keys) {
    names.emplace_back(known.name);
    if (key.size() > kLongestQuote) continue;
    if (const size_t off = distance(key, known.name); off < least) {
      least = off;
      nearest = known.name;
    }
  }
  if (nearest != nullptr) return fmt::format("there is no such key; did you mean {}?", nearest);
  return fmt::format("there is no such key; expected {}", fmt::join(names, ", "));
}

int line_of(const YAML::Node& node) {
  return std::max(node.Mark().line + 1, 1);
}

}  // namespace

std::string quoted(const std::string& words) {
  if (words.size() <= kLongestQuote) return "'" + on_one_line(words) + "'";
  size_t end = kLongestQuote;
  while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xC0U) == 0x80U) --end;
  return "'" + on_one_line(words.substr(0, end)) + "…'";
}

std::unexpected<Error> YamlValue::error(const std::string& what) const {
  return permanent(fmt::format("{}:{}: {}{}{}", file, line, name, name.empty() ? "" : ": ", what));
}

std::string YamlValue::found() const {
  if (node.IsMap()) return "a map";
  if (node.IsSequence()) return "a list";
  if (!node.IsScalar()) return "nothing";
  return quoted(node.Scalar());
}

Result<std::string> YamlValue::scalar(const std::string& expected) const {
  if (!node.IsScalar()) return error(fmt::format("expected {}, found {}", expected, found()));
  // "?": no tag, "!": none, and in quotes.
  if (const std::string& tag = node.Tag(); tag != "?" && tag != "!" && !tag.empty()) {
    return error(fmt::format("the tag {} is not read here; leave it out", quoted(tag)));
  }
  return node.Scalar();
}

Result<std::string> YamlValue::text(const std::string& expected) const {
  Result<std::string> words = scalar(expected);
  if (words && node.Tag() == "?" && is_no_text(*words)) {
    return error(fmt::format("expected {}, found {}, which is no text in YAML; write it in quotes",
                             expected, found()));
  }
  return words;
}

Result<std::vector<YamlValue>> YamlValue::items(const std::string& expected) const {
  if (!node.IsSequence()) return error(fmt::format("expected {}, found {}", expected, found()));
  std::vector<YamlValue> values;
  for (const YAML::Node& item : node) {
    values.push_back({.file = file,
                      .name = fmt::format("{}[{}]", name, values.size()),
                      .line = line_of(item),
                      .node = item});
  }
  return values;
}

Result<std::vector<YamlValue::Member>> YamlValue::members(const std::string& expected) const {
  if (!node.IsMap()) return error(fmt::format("expected {}, found {}", expected, found()));
  std::vector<Member> all;
  std::set<std::string> seen;
  for (const auto& entry : node) {
    const YamlValue key{
        .file = file, .name = name, .line = line_of(entry.first), .node = entry.first};
    if (!key.node.IsScalar()) return key.error("expected a key, found " + key.found());
    const std::string& word = key.node.Scalar();
    const bool short_enough = word.size() <= 4 * kLongestQuote;
    const std::string said = short_enough ? on_one_line(word) : quoted(word);
    YamlValue value{.file = file,
                    .name = name.empty() ? said : name + "." + said,
                    .line = key.line,
                    .node = entry.second};
    if (key.node.Tag() == "?" && is_no_text(word)) {
      return value.error("the key is no text in YAML; write it in quotes");
    }
    if (!seen.insert(word).second) {
      return value.error("it stands here twice; leave one of them out");
    }
    all.push_back({.key = word, .value = std::move(value)});
  }
  return all;
}

Result<void> read_members(const YamlValue& map, const std::vector<YamlKey>& keys) {
  std::string expected = "a map with ";
  for (const YamlKey& key : keys) {
    expected += fmt::format("{}{}", &key == &keys.front() ? "" : ", ", key.name);
  }
  const auto members = map.members(expected);
  if (!members) return std::unexpected(members.error());
  for (const auto& [word, value] : *members) {
    const auto known = std::ranges::find(keys, std::string_view(word), [](const YamlKey& key) {
      return std::string_view(key.name);
    });
    if (known == keys.end()) return value.error(unknown_key(word, keys));
    if (Result<void> read = known->read(value); !read) return read;
  }
  return {};
}

Result<void> read_words(const YamlValue& list, const std::string& what, const std::string& expected,
                        const std::function<bool(const std::string&)>& take) {
  const auto items = list.items("a list of " + what + "s");
  if (!items) return std::unexpected(items.error());
  if (items->empty()) return list.error("the list is empty; leave the key out, which means any");
  for (const YamlValue& item : *items) {
    const Result<std::string> word = item.text("a " + what);
    if (!word) return std::unexpected(word.error());
    if (!take(*word)) {
      return item.error(fmt::format("{} is no {}; expected {}", item.found(), what, expected));
    }
  }
  return {};
}

Result<YamlValue> load_yaml(const std::string& text, const std::string& file) {
  YamlValue root{.file = file, .name = "", .line = 1, .node = {}};
  try {
    Scan scan;
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    // Not more often: where it cannot go on, after a stray comma, it goes on for ever.
    if (parser.HandleNextDocument(scan)) parser.HandleNextDocument(scan);
    if (scan.alias() > 0) {
      root.line = scan.alias();
      return root.error(
          "an alias ('*…') is not read here; write it out (a name that begins with "
          "'*' needs quotes)");
    }
    if (scan.second() > 0) {
      root.line = scan.second();
      return root.error("another document begins; expected one");
    }
    root.node = YAML::Load(text);
    root.line = line_of(root.node);
  } catch (const YAML::Exception& broken) {
    root.line = std::max(broken.mark.line + 1, 1);
    const bool star = broken.msg.contains("anchor") || broken.msg.contains("alias");
    std::string what = on_one_line(broken.msg);
    // It may hold one byte of a letter that has several.
    std::ranges::replace_if(
        what, [](char c) { return static_cast<unsigned char>(c) >= 0x80U; }, '?');
    return root.error("is no YAML: " + what +
                      (star ? "; a name that begins with '*' needs quotes" : ""));
  }
  return root;
}

}  // namespace spotkeeper::config
