// SPDX-License-Identifier: Apache-2.0
#include "config/drain_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spotkeeper::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Time kNow = Time(Seconds(1'800'000'000));

Result<DrainOptions> parse(HandCommand command, std::vector<std::string> arguments) {
  return parse_drain_options(command, arguments, [](const std::string&) { return std::nullopt; });
}

TEST(DrainOptions, HostsMayBeMixedWithFlags) {
  const auto options = parse(HandCommand::kDrain, {"n1", "--deadline", "2m", "node/n2", "-ojson"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_THAT(options->hosts, ElementsAre("n1", "n2"));
  EXPECT_EQ(options->deadline.from(kNow), kNow + Seconds(120));
  EXPECT_EQ(options->output, "json");
}

TEST(DrainOptions, APlanIsForASpotNoticeADrainHasNoDeadline) {
  EXPECT_EQ(parse(HandCommand::kPlan, {"n1"})->deadline.from(kNow), kNow + Seconds(120));
  EXPECT_EQ(parse(HandCommand::kPlan, {"n1", "--deadline=none"})->deadline.from(kNow), kNever);
  EXPECT_EQ(parse(HandCommand::kDrain, {"n1"})->deadline.from(kNow), kNever);
}

TEST(DrainOptions, APlanIsAPersonsUnlessItSaysOtherwise) {
  EXPECT_EQ(parse(HandCommand::kPlan, {"n1"})->notice, core::NoticeKind::kManual);
  const auto spot = parse(HandCommand::kPlan, {"n1", "--notice", "SpotInterruption"});
  EXPECT_EQ(spot->notice, core::NoticeKind::kSpotInterruption);
  const auto soft =
      parse(HandCommand::kPlan, {"n1", "--notice=RebalanceRecommendation", "--deadline=none"});
  ASSERT_TRUE(soft) << soft.error().message;
  const auto never =
      parse(HandCommand::kPlan, {"n1", "--notice=SpotInterruption", "--deadline=none"});
  ASSERT_FALSE(never);
  EXPECT_THAT(never.error().message, HasSubstr("--notice SpotInterruption"));
  const auto typo = parse(HandCommand::kPlan, {"n1", "--notice", "spot"});
  ASSERT_FALSE(typo);
  EXPECT_THAT(typo.error().message, HasSubstr("SpotInterruption, RebalanceRecommendation"));
  EXPECT_FALSE(parse(HandCommand::kDrain, {"n1", "--notice", "SpotInterruption"}));
}

TEST(DrainOptions, ADeadlineMayBeAMoment) {
  const auto options = parse(HandCommand::kPlan, {"n1", "--deadline=2027-01-15T08:02:00Z"});
  EXPECT_EQ(options->deadline.from(kNow), kNow + Seconds(120));
}

TEST(DrainOptions, LettersTakeTheirValueInEveryForm) {
  for (const std::vector<std::string>& form :
       {std::vector<std::string>{"-l", "a=b"}, {"-l=a=b"}, {"-la=b"}, {"--selector=a=b"}}) {
    const auto options = parse(HandCommand::kPlan, form);
    ASSERT_TRUE(options) << form[0] << ": " << options.error().message;
    EXPECT_EQ(options->selector, "a=b") << form[0];
  }
}

struct BadRow {
  const char* name;
  std::vector<std::string> arguments;
  const char* message;
};

class BadDrainOptions : public testing::TestWithParam<BadRow> {};

TEST_P(BadDrainOptions, OneClearLine) {
  const auto options = parse(HandCommand::kDrain, GetParam().arguments);
  ASSERT_FALSE(options);
  EXPECT_THAT(options.error().message, HasSubstr(GetParam().message));
  EXPECT_EQ(options.error().message.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadDrainOptions,
    testing::Values(
        BadRow{"nobody", {}, "expected either hosts"},
        BadRow{"both", {"n1", "-l", "a=b"}, "expected either hosts"},
        BadRow{"file_too", {"n1", "-f", "hosts.txt"}, "or -f FILE"},
        BadRow{"file_and_labels", {"-l", "a=b", "-f", "-"}, "or -f FILE"},
        BadRow{"waves_and_end",
               {"n1", "--max-unavailable=1", "--deadline=2m"},
               "--max-unavailable: cannot be combined with --deadline"},
        BadRow{"waves_and_undo", {"n1", "--max-unavailable=1", "--undo"}, "with --undo"},
        BadRow{"none_unavailable", {"n1", "--max-unavailable=0"}, "from 1% to 100%, got '0'"},
        BadRow{"no_share", {"n1", "--max-unavailable=0%"}, "from 1% to 100%, got '0%'"},
        BadRow{"too_much", {"n1", "--max-unavailable=101%"}, "got '101%'"},
        BadRow{"only_percent", {"n1", "--max-unavailable=%"}, "got '%'"},
        BadRow{"half", {"n1", "--max-unavailable=1.5"}, "got '1.5'"},
        BadRow{"format", {"n1", "-o", "xml"}, "-o: expected table, json, yaml, got 'xml'"},
        BadRow{
            "letter", {"n1", "-x"}, "-x: there is no such option; see 'spotkeeper drain --help'"},
        BadRow{"deadline", {"n1", "--deadline", "soon"}, "a duration such as 2m"},
        BadRow{"instant", {"n1", "--deadline=0s"}, "--deadline: expected"},
        BadRow{"undo", {"n1", "--undo", "--dry-run"}, "'spotkeeper plan' changes nothing"},
        BadRow{"hand_over", {"n1", "--hand-over"}, "--hand-over: expected WHEN behind it"},
        BadRow{"what", {"n1", "--on-interrupt=cry"}, "ask, undo, leave"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(DrainOptions, RulesAndHandingOverReachThePolicy) {
  for (const auto command : {HandCommand::kPlan, HandCommand::kDrain}) {
    auto options = parse(command, {"n1", "--policy-file", "p.yaml", "--hand-over=never"});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->policy_file, "p.yaml");
    options->rules = {{.name = "one"}};
    EXPECT_EQ(policy_of(*options).rules, options->rules);
    EXPECT_EQ(policy_of(*options).hand_over, core::HandOver::kNever);
  }
}

TEST(DrainOptions, AFileOfHosts) {
  for (const std::vector<std::string>& form :
       {std::vector<std::string>{"-f", "-"}, {"-f-"}, {"--filename=-"}, {"--filename", "-"}}) {
    for (const auto command : {HandCommand::kPlan, HandCommand::kDrain}) {
      const auto options = parse(command, form);
      ASSERT_TRUE(options) << form[0] << ": " << options.error().message;
      EXPECT_EQ(options->host_file, "-");
      EXPECT_TRUE(options->hosts.empty()) << "it is not read yet";
    }
  }
  auto options = parse(HandCommand::kDrain, {"-f", "/no/such/file"});
  ASSERT_TRUE(options);
  EXPECT_THAT(read_hosts(*options).error().message, HasSubstr("/no/such/file: No such file"));
}

TEST(DrainOptions, AtMostSoManyUnavailable) {
  const auto number = parse(HandCommand::kDrain, {"n1", "--max-unavailable", "3"});
  ASSERT_TRUE(number) << number.error().message;
  EXPECT_EQ(number->max_unavailable->value, 3);
  EXPECT_FALSE(number->max_unavailable->percent);
  const auto share = parse(HandCommand::kDrain, {"n1", "--max-unavailable=10%"});
  ASSERT_TRUE(share) << share.error().message;
  EXPECT_EQ(share->max_unavailable->of(55), 5U);
  EXPECT_FALSE(parse(HandCommand::kDrain, {"n1"})->max_unavailable);
  EXPECT_FALSE(parse(HandCommand::kPlan, {"n1", "--max-unavailable=1"}));
  EXPECT_TRUE(parse(HandCommand::kDrain, {"n1", "--max-unavailable=1", "--deadline=none"}));
}

TEST(DrainOptions, APlanKnowsNothingOfUndo) {
  EXPECT_FALSE(parse(HandCommand::kPlan, {"n1", "--undo"}));
}

}  // namespace
}  // namespace spotkeeper::config
