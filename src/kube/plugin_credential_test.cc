// SPDX-License-Identifier: Apache-2.0
#include "kube/plugin_credential.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "kube/script_server.h"

namespace spotkeeper::kube {
namespace {

class PluginCredentialTest : public KubeTest {
 protected:
  // A plugin that counts its runs in a file; its token is "t" and the number of the run. `before`
  // runs first; `life_s` 0: the credential does not expire.
  ExecPlugin plugin(int life_s, const std::string& before = "") const {
    const std::string expiry = life_s == 0 ? ""
                                           : ",\\\"expirationTimestamp\\\":\\\"$(date -u -d '+" +
                                                 std::to_string(life_s) +
                                                 " seconds' +%Y-%m-%dT%H:%M:%S.%NZ)\\\"";
    const std::string script =
        "echo run >> " + count_file() + "; " + before + "\nN=$(wc -l < " + count_file() + ")\n" +
        "echo \"{\\\"kind\\\":\\\"ExecCredential\\\",\\\"apiVersion\\\":\\\"client.authentication."
        "k8s.io/v1\\\",\\\"status\\\":{\\\"token\\\":\\\"t$N\\\"" +
        expiry + "}}\"";
    return {.place = "here", .command = "sh", .args = {"-c", script}};
  }
  std::string count_file() const { return (folder_ / "runs").string(); }
  int runs() const {
    std::ifstream file(count_file());
    return static_cast<int>(
        std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n'));
  }

  void use(const ExecPlugin& plugin) {
    credential_ = std::make_unique<PluginCredential>(loop_.get_executor(), plugin);
  }
  // Its token, or the error's message.
  std::string token() {
    const auto credential = await(credential_->get());
    if (!credential) return credential.error().message;
    last_ = *credential;
    return last_->token.reveal();
  }

  std::unique_ptr<PluginCredential> credential_;
  PluginCredential::Shared last_;
};

TEST_F(PluginCredentialTest, RunsOnceUntilItIsRefused) {
  use(plugin(0));
  EXPECT_EQ(token(), "t1");
  EXPECT_EQ(token(), "t1");
  const PluginCredential::Shared first = last_;
  credential_->refused(first);
  EXPECT_EQ(token(), "t2");
  credential_->refused(first);
  EXPECT_EQ(token(), "t2") << "the one that was refused is gone already";
  EXPECT_EQ(runs(), 2);
}

TEST_F(PluginCredentialTest, RunsAgainShortlyBeforeItExpires) {
  use(plugin(2));
  EXPECT_EQ(token(), "t1");
  EXPECT_EQ(token(), "t1");
  EXPECT_TRUE(until([&] { return token() == "t2"; }));
  EXPECT_LT(std::chrono::system_clock::now(), *last_->expires);
}

Task<> get_into(PluginCredential& credential, std::vector<std::string>& tokens) {
  const auto got = co_await credential.get();
  tokens.push_back(got ? (*got)->token.reveal() : got.error().message);
}

TEST_F(PluginCredentialTest, CallsShareOneRun) {
  use(plugin(0, "sleep 0.1;"));
  std::vector<std::string> tokens;
  for (int i = 0; i < 5; ++i) group_.spawn("get", get_into(*credential_, tokens));
  EXPECT_TRUE(until([&] { return tokens.size() == 5; }));
  EXPECT_EQ(tokens, std::vector<std::string>(5, "t1"));
  EXPECT_EQ(runs(), 1);
}

TEST_F(PluginCredentialTest, WhoeverIsCancelledLeavesTheRunToTheOthers) {
  use(plugin(0, "while [ ! -e " + (folder_ / "go").string() + " ]; do sleep 0.02; done;"));
  TaskGroup first(loop_.get_executor());
  std::vector<std::string> tokens;
  first.spawn("get", get_into(*credential_, tokens));
  ASSERT_TRUE(until([&] { return runs() == 1; }));
  group_.spawn("get", get_into(*credential_, tokens));
  first.cancel();
  ASSERT_TRUE(until([&] { return first.size() == 0 && runs() == 2; }));
  EXPECT_TRUE(tokens.empty());
  write_file("go", "");
  ASSERT_TRUE(until([&] { return !tokens.empty(); }));
  EXPECT_EQ(tokens, std::vector<std::string>{"t2"});
}

TEST_F(PluginCredentialTest, AFailureIsSharedAndNotTriedAtOnceAgain) {
  use(plugin(0, "[ -e " + (folder_ / "good").string() + " ] || exit 4;"));
  std::vector<std::string> answers;
  for (int i = 0; i < 3; ++i) group_.spawn("get", get_into(*credential_, answers));
  ASSERT_TRUE(until([&] { return answers.size() == 3; }));
  EXPECT_EQ(answers, std::vector<std::string>(
                         3, "here: \"sh\" ended with exit code 4; run it by hand to see why"));
  EXPECT_EQ(runs(), 1);
  write_file("good", "");
  EXPECT_TRUE(until([&] { return token() == "t2"; }));
}

TEST_F(PluginCredentialTest, AFailedRenewalIsNobodysWhileTheLastOneIsValid) {
  use(plugin(3, "[ $(wc -l < " + count_file() + ") = 1 ] || exit 4;"));
  EXPECT_EQ(token(), "t1");
  EXPECT_TRUE(until([&] { return token() == "t1" && runs() > 1; })) << "a renewal was tried";
  EXPECT_LT(std::chrono::system_clock::now(), *last_->expires);
  EXPECT_TRUE(until([&] { return token().starts_with("here: "); })) << "and then it is over";
  EXPECT_GE(std::chrono::system_clock::now(), *last_->expires);
}

TEST_F(PluginCredentialTest, OneThatComesExpiredIsUsedAllTheSame) {
  use(plugin(-100));
  EXPECT_EQ(token(), "t1");
  EXPECT_EQ(token(), "t1") << "for a second: the clocks may differ";
  EXPECT_EQ(runs(), 1);
}

}  // namespace
}  // namespace spotkeeper::kube
