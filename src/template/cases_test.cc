// SPDX-License-Identifier: Apache-2.0
// The cases of test/template, held against what Go and sprig answered (expected.json, made and
// checked by test/template_test.py), and what is another way here on purpose.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "base/json.h"
#include "template/template.h"

namespace spotkeeper::tmpl {
namespace {

boost::json::value read(const std::string& file) {
  std::ifstream in(std::string(TEMPLATE_TESTDATA) + "/" + file);
  return boost::json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
}

Value plain(const boost::json::value& from) {
  switch (from.kind()) {
    case boost::json::kind::null:
      return Value::nil();
    case boost::json::kind::bool_:
      return Value::boolean(from.get_bool());
    case boost::json::kind::int64:
      return Value::number(from.get_int64());
    case boost::json::kind::uint64:
    case boost::json::kind::double_:
      return Value::real(from.to_number<double>());
    case boost::json::kind::string:
      return Value::text(std::string(from.get_string()));
    case boost::json::kind::array: {
      List items;
      for (const auto& item : from.get_array()) items.push_back(plain(item));
      return Value::list(std::move(items));
    }
    case boost::json::kind::object: {
      Map entries;
      for (const auto& [key, item] : from.get_object()) entries.emplace(key, plain(item));
      return Value::map(std::move(entries));
    }
  }
  return {};
}

// As test/template/go/main.go declares the fields.
Value data_of(const boost::json::value& set) {
  Fields fields;
  for (const auto& [name, value] : set.get_object()) {
    if (name.ends_with("Time")) {
      Time time;
      EXPECT_TRUE(parse_time(std::string(value.get_string()), time));
      fields.emplace_back(name, Value::time(time));
    } else if (name == "NodeLabels") {
      std::map<std::string, std::string> labels;
      for (const auto& [key, label] : value.get_object()) labels[key] = label.get_string().c_str();
      fields.emplace_back(name, Value::text_map(labels));
    } else {
      fields.emplace_back(name, plain(value));
    }
  }
  return Value::record(std::move(fields));
}

std::string rendered(const std::string& text, const Value& data) {
  const auto made = Template::parse(text, "case");
  if (!made) return "error: " + made.error().message;
  const auto out = made->render(data, Time(Seconds(1600204504)));
  return out ? *out : "error: " + out.error().message;
}

const std::map<std::string, std::string>& differences();

TEST(Cases, EachIsAsGoAnswers) {
  const boost::json::value sets = read("data.json");
  const boost::json::value expected = read("expected.json");
  const auto& cases = expected.at("cases").get_array();
  EXPECT_GE(cases.size(), 150U);
  std::map<std::string, Value> data;
  for (const auto& [name, set] : sets.get_object()) data.emplace(name, data_of(set));
  std::set<std::string> met;
  for (const auto& one : cases) {
    const std::string text(one.at("template").get_string());
    for (const auto& [set, answer] : one.at("answers").get_object()) {
      const std::string ours = rendered(text, data.at(set));
      const bool fails = ours.starts_with("error: ");
      const std::string theirs = text_at(answer, {"text"});
      const bool as_go = fails == flag_at(answer, {"fails"}) && (fails || ours == theirs);
      const auto known = differences().find(text);
      if (known == differences().end()) {
        EXPECT_TRUE(as_go) << "template: " << text << "\ndata:     " << set
                           << "\nours:     " << ours
                           << "\nGo's:     " << (flag_at(answer, {"fails"}) ? "an error" : theirs);
      } else if (!as_go) {
        met.insert(text);
        EXPECT_TRUE(ours.starts_with(known->second)) << text << "\n" << set << "\n" << ours;
      }
    }
  }
  for (const auto& [text, ours] : differences()) {
    EXPECT_TRUE(met.contains(text)) << "no difference any more: " << text;
  }
}

// Template and how our answer begins, where it is not Go's.
const std::map<std::string, std::string>& differences() {
  static const std::map<std::string, std::string> kKnown = {
      // Integers are of one type: sprig's int64 fits where an int is wanted.
      {R"({{ repeat (add 1 2) "x" }})", "xxx"},
      {R"({{ printf "%s" (add 1 2) }})", "%!s(int=3)"},
      {R"({{ uniq (list 1 (add 0 1)) }})", "[1]"},
      // So are maps, and a text has parts.
      {R"({{ get .NodeLabels "lifecycle" }}{{ hasKey .NodeLabels "x" }}{{ keys .NodeLabels }})",
       ""},
      {R"({{ slice .EventID 0 1 }})", ""},
      // Refused when it is parsed, though it is never reached.
      {R"({{ if false }}{{ upper 1 }}{{ end }})", "error: case:1:24: argument 1 of upper is"},
      {R"({{ if false }}{{ template "nowhere" }}{{ end }})",
       "error: case:1:18: template \"nowhere\" is not defined"},
      // Not supported.
      {R"({{ $x := 1 }}{{ ($x := 2) }})", "error: case:1:21: a variable is not declared within"},
      {R"({{ printf "%T" .Kind }})", "error: case:1:11: printf's \"%T\" is not supported (use %v"},
      {R"({{ printf "%#v" 1 }})", "error: case:1:11: printf's \"%#v\" is not supported (use %v"},
      {R"({{ printf "%100001d" 1 | len }})",
       "error: case:1:11: printf's widths and precisions end"},
      {R"({{ printf "%d" .StartTime | len }})", "4"},
      {R"({{ regexMatch "a+" "aa" }})",
       "error: case:1:4: function \"regexMatch\" is not supported"},
      {R"({{ sha256sum "a" }})", "error: case:1:4: function \"sha256sum\" is not supported"},
      {R"({{ .StartTime.Month }})", "error: case:1:14: time method \".Month\" is not supported"},
      {R"({{ .StartTime.Add 1000000000 }})", "error: case:1:14: time method \".Add\" is not"},
      {R"({{ dateInZone "15:04" .StartTime "America/New_York" }})",
       "error: case:1:34: the only time zone is \"UTC\""},
      // Letters beyond Latin, Greek and Cyrillic.
      {R"({{ upper "\u10d0" }})", "\u10d0"},
  };
  return kKnown;
}

}  // namespace
}  // namespace spotkeeper::tmpl
