// SPDX-License-Identifier: Apache-2.0
#include "app/policy_reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "async/loop_fixture.h"

namespace spotkeeper::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::internal::CaptureStderr;
using testing::internal::CaptureStdout;
using testing::internal::GetCapturedStderr;
using testing::internal::GetCapturedStdout;

constexpr const char* kOne = "rules:\n  - mode: never\n";
constexpr const char* kTwo = "rules:\n  - mode: never\n  - mode: at-once\n";

// A folder as the kubelet mounts a ConfigMap: policy.yaml -> ..data/policy.yaml, ..data -> ..1.
class PolicyReloadTest : public LoopFixture {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "policy_reload.XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    mount(kOne);
    fs::create_symlink("..data/policy.yaml", folder_ / "policy.yaml");
  }
  void TearDown() override {
    LoopFixture::TearDown();
    fs::remove_all(folder_);
  }

  void mount(const std::string& text) {
    const std::string version = ".." + std::to_string(++versions_);
    fs::create_directory(folder_ / version);
    std::ofstream(folder_ / version / "policy.yaml") << text;
    fs::create_symlink(version, folder_ / "..data_tmp");
    fs::rename(folder_ / "..data_tmp", folder_ / "..data");
  }

  std::string path() const { return folder_ / "policy.yaml"; }

  // What a look writes to the log.
  std::string look() {
    CaptureStdout();
    CaptureStderr();
    reload_->look();
    return GetCapturedStdout() + GetCapturedStderr();
  }

  void start(const std::vector<core::Rule>& rules) {
    reload_.emplace(path(), rules, log_, [this](const std::vector<core::Rule>& changed) {
      told_.push_back(changed.size());
    });
  }

  fs::path folder_;
  int versions_ = 0;
  ManualClock clock_{Time(Seconds(1'800'000'000))};
  observe::Log log_{clock_, {}};
  std::vector<size_t> told_;
  std::optional<PolicyReload> reload_;
};

std::vector<core::Rule> never() {
  return {{.name = "rule 1", .treatment = {.mode = core::Mode::kNotOurs}}};
}

TEST_F(PolicyReloadTest, TheFirstLookSaysHowManyRulesHold) {
  start(never());
  EXPECT_THAT(look(), HasSubstr("policy: 1 rule holds now"));
  EXPECT_TRUE(told_.empty()) << "they are what was read at start";
  EXPECT_EQ(look(), "") << "nothing has changed";
}

TEST_F(PolicyReloadTest, WhatChangedBeforeTheFirstLookIsSeen) {
  mount(kTwo);
  start(never());
  look();
  EXPECT_EQ(told_, std::vector<size_t>{2});
}

TEST_F(PolicyReloadTest, ASwappedSymlinkIsANewVersion) {
  start(never());
  look();
  mount(kTwo);
  EXPECT_THAT(look(), HasSubstr("policy: 2 rules hold now"));
  EXPECT_EQ(told_, std::vector<size_t>{2});
  mount("rules: []\n");
  EXPECT_THAT(look(), HasSubstr("policy: 0 rules hold now"));
  EXPECT_EQ(told_, (std::vector<size_t>{2, 0}));
}

TEST_F(PolicyReloadTest, AFileWrittenInPlaceIsANewVersion) {
  start(never());
  look();
  std::ofstream(path(), std::ios::app) << "  - mode: at-once\n";
  look();
  EXPECT_EQ(told_, std::vector<size_t>{2});
}

TEST_F(PolicyReloadTest, TheSameRulesInOtherWordsAreNobodysBusiness) {
  start(never());
  look();
  mount("# a remark\nrules: [{mode: never}]\n");
  EXPECT_THAT(look(), HasSubstr("1 rule holds"));
  EXPECT_TRUE(told_.empty());
}

TEST_F(PolicyReloadTest, ABadVersionIsSaidOnceAndTheLastGoodOneStays) {
  start(never());
  look();
  mount("rules:\n  - mode: nevr\n");
  const std::string said = look();
  EXPECT_THAT(said, HasSubstr(path() + ":2: rules[0].mode: 'nevr' is no mode"));
  EXPECT_THAT(said, HasSubstr("what was read before stays: 1 rule holds now"));
  EXPECT_THAT(said, HasSubstr(" ERR "));
  EXPECT_EQ(std::ranges::count(said, '\n'), 1);
  EXPECT_EQ(look(), "");
  EXPECT_TRUE(told_.empty());
  mount(kTwo);
  look();
  EXPECT_EQ(told_, std::vector<size_t>{2});
}

TEST_F(PolicyReloadTest, AFileThatIsGoneIsSaidOnceAndReadWhenItIsBack) {
  start(never());
  look();
  fs::rename(folder_ / "..data", folder_ / "away");
  EXPECT_THAT(look(), HasSubstr("No such file or directory"));
  EXPECT_EQ(look(), "");
  fs::rename(folder_ / "away", folder_ / "..data");
  EXPECT_THAT(look(), HasSubstr("1 rule holds"));
  EXPECT_TRUE(told_.empty());
}

TEST_F(PolicyReloadTest, RunsUntilItIsCancelled) {
  mount(kTwo);
  start(never());
  CaptureStdout();
  tasks_.spawn("policy file", reload_->run());
  run_until([this] { return !told_.empty(); });
  GetCapturedStdout();
  EXPECT_EQ(told_, std::vector<size_t>{2});
}

}  // namespace
}  // namespace spotkeeper::app
