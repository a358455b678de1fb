// SPDX-License-Identifier: Apache-2.0
#include "config/policy_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace spotkeeper::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Document {
  std::string kind;
  std::string name;
  std::string message;
  std::string text;
};

// What the file's own first lines say. The empty line before the next one belongs to nobody.
std::vector<Document> documents() {
  std::ifstream file(POLICY_TESTDATA);
  std::vector<Document> all;
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("=== ")) {
      std::istringstream words(line.substr(4));
      words >> all.emplace_back().kind >> all.back().name;
      if (all.back().kind != "good") std::getline(file, all.back().message);
    } else if (!all.empty()) {
      all.back().text += line + "\n";
    }
  }
  for (Document& document : all) {
    while (document.text.ends_with("\n\n")) document.text.pop_back();
  }
  return all;
}

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest's name
void PrintTo(const Document& document, std::ostream* out) {
  *out << document.kind << " " << document.name;
}

class PolicyDocuments : public testing::TestWithParam<Document> {};

TEST_P(PolicyDocuments, AreReadOrRefusedInOneLine) {
  const Document& document = GetParam();
  const auto rules = parse_policy(document.text, "p.yaml");
  if (document.kind == "good") {
    EXPECT_TRUE(rules) << rules.error().message;
  } else {
    ASSERT_FALSE(rules);
    EXPECT_EQ(rules.error().message, "p.yaml:" + document.message);
    EXPECT_EQ(rules.error().kind, ErrorKind::kPermanent);
  }
}

INSTANTIATE_TEST_SUITE_P(Testdata, PolicyDocuments, testing::ValuesIn(documents()),
                         [](const auto& row) { return row.param.kind + "_" + row.param.name; });

TEST(PolicyFile, TheTestdataIsThere) {
  EXPECT_GT(documents().size(), 50U) << POLICY_TESTDATA;
}

TEST(PolicyFile, EveryKeyReachesTheRule) {
  const auto rules = parse_policy(
      "rules:\n"
      "  - name: long jobs\n"
      "    notices: [SpotInterruption, Manual]\n"
      "    namespaces: [jobs, 'team-*']\n"
      "    owners: [Job, None]\n"
      "    selector:\n"
      "      matchLabels: {app: report}\n"
      "      matchExpressions:\n"
      "        - {key: tier, operator: NotIn, values: [gold]}\n"
      "        - {key: keep, operator: DoesNotExist}\n"
      "    mode: last-moment\n"
      "    enoughGrace: 2m\n"
      "    margin: 5s\n"
      "    order: -10\n"
      "  - {enoughGrace: full, margin: 0}\n",
      "p");
  ASSERT_TRUE(rules) << rules.error().message;
  const std::vector<core::Rule> expected{
      {.name = "long jobs",
       .notices = {core::NoticeKind::kSpotInterruption, core::NoticeKind::kManual},
       .namespaces = {"jobs", "team-*"},
       .owners = {"Job", "None"},
       .selector = {.match_labels = {{"app", "report"}},
                    .match_expressions = {{.key = "tier", .op = "NotIn", .values = {"gold"}},
                                          {.key = "keep", .op = "DoesNotExist", .values = {}}}},
       .treatment = {.mode = core::Mode::kLastMoment,
                     .enough_grace = Seconds(120),
                     .margin = Seconds(5),
                     .order = -10}},
      {.name = "rule 2", .treatment = {.enough_grace = core::kFullGrace, .margin = Seconds(0)}}};
  EXPECT_EQ(*rules, expected);
}

TEST(PolicyFile, EachModeIsItself) {
  for (const auto mode : {core::Mode::kHandOver, core::Mode::kAtOnce, core::Mode::kLastMoment}) {
    const auto rules =
        parse_policy(std::string("rules: [{mode: ") + core::to_string(mode) + "}]", "p");
    ASSERT_TRUE(rules) << rules.error().message;
    EXPECT_EQ(rules->front().treatment.mode, mode);
  }
  EXPECT_EQ(parse_policy("rules: [{mode: never}]", "p")->front().treatment.mode,
            core::Mode::kNotOurs);
}

TEST(PolicyFile, EachKindOfNoticeIsItself) {
  for (int number = 0; number <= static_cast<int>(core::NoticeKind::kManual); ++number) {
    const auto kind = static_cast<core::NoticeKind>(number);
    const auto rules = parse_policy(
        std::string("rules: [{order: 1, notices: [") + core::to_string(kind) + "]}]", "p");
    ASSERT_TRUE(rules) << rules.error().message;
    EXPECT_EQ(rules->front().notices, std::vector{kind});
  }
}

TEST(PolicyFile, AliasesOfAliasesAreRefusedBeforeTheyGrow) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 1; j < 10; ++j) bomb += "," + before;
    bomb += "]\n";
  }
  const auto rules = parse_policy(bomb + "rules: *a29\n", "p");
  ASSERT_FALSE(rules);
  EXPECT_THAT(rules.error().message, HasSubstr("p:2: an alias"));
}

TEST(PolicyFile, DepthHasALimit) {
  const auto rules = parse_policy("rules: " + std::string(100'000, '['), "p");
  ASSERT_FALSE(rules);
  EXPECT_THAT(rules.error().message, HasSubstr("is no YAML"));
}

TEST(PolicyFile, SizeHasALimit) {
  const std::string most = "rules: []\n#" + std::string((1U << 20U) - 11, 'x');
  EXPECT_TRUE(parse_policy(most, "p"));
  const auto rules = parse_policy(most + "x", "p");
  ASSERT_FALSE(rules);
  EXPECT_EQ(rules.error().message, "p: is larger than 1 MiB; expected less");
}

TEST(PolicyFile, OtherEncodingsAreRefused) {
  for (const char* text :
       {"rules: []\n#\xff", "rules: []\n#\x1b", "\xff\xfer", "rules: []\n#\xc0\x80",
        "rules: []\n#\xed\xa0\x80", "rules: []\n#\xf4\x90\x80\x80", "rules: []\n#\xe2\x82"}) {
    const auto rules = parse_policy(text, "p");
    ASSERT_FALSE(rules);
    EXPECT_EQ(rules.error().message, "p: is no plain UTF-8 text; save it as that");
  }
  const auto rules = parse_policy("rules: [{mode: never, name: Löschen \xe2\x82\xac}]", "p");
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_EQ(rules->front().name, "Löschen \xe2\x82\xac");
}

TEST(PolicyFile, AFileThatIsNotThereSaysSo) {
  const auto rules = read_policy_file("/no/such/policy.yaml");
  ASSERT_FALSE(rules);
  EXPECT_EQ(rules.error().message, "policy file: /no/such/policy.yaml: No such file or directory");
  EXPECT_EQ(read_policy_file("/").error().message, "policy file: /: Is a directory");
}

TEST(PolicyFile, NoFileIsNoRules) {
  const auto rules = read_policy_file("");
  ASSERT_TRUE(rules);
  EXPECT_THAT(*rules, IsEmpty());
}

TEST(PolicyFile, IsReadFromItsPath) {
  const std::string path = testing::TempDir() + "policy.yaml";
  std::ofstream(path) << "rules:\n  - mode: never\n";
  const auto rules = read_policy_file(path);
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_THAT(*rules, SizeIs(1));
  std::ofstream(path) << "rules:\n  - mod: never\n";
  EXPECT_EQ(read_policy_file(path).error().message,
            path + ":2: rules[0].mod: there is no such key; did you mean mode?");
}

}  // namespace
}  // namespace spotkeeper::config
