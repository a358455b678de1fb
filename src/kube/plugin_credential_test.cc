// SPDX-License-Identifier: Apache-2.0
#include "kube/plugin_credential.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "kube/script_server.h"

namespace spotkeeper::kube {
namespace {

Task<> get_into(PluginCredential& credential, std::vector<std::string>& tokens) {
  const auto got = co_await credential.get();
  tokens.push_back(got ? (*got)->token.reveal() : got.error().message);
}

constexpr Seconds kLife{100};  // it is renewed 10 s before its end

// The credentials' clock stands still but for advance(); that of failures is the real one.
class PluginCredentialTest : public KubeTest {
 protected:
  ~PluginCredentialTest() override {
    renewals_.cancel();
    EXPECT_TRUE(until([this] { return renewals_.size() == 0; }));
    EXPECT_EQ(renewals_.first_failure(), "");
  }

  // A plugin that counts its runs in a file; its token is "t" and the number of the run. `before`
  // runs first.
  ExecPlugin plugin(const std::string& before = "") const {
    const std::string script =
        "echo run >> " + file("runs") + "; " + before + "\nN=$(wc -l < " + file("runs") + ")\n" +
        "echo \"{\\\"kind\\\":\\\"ExecCredential\\\",\\\"apiVersion\\\":\\\"client.authentication."
        "k8s.io/v1\\\",\\\"status\\\":{\\\"token\\\":\\\"t$N\\\"$(cat " +
        file("expiry") + ")}}\"";
    return {.place = "here", .command = "sh", .args = {"-c", script}};
  }
  // Of the credentials from now on.
  void expires_in(Seconds life) {
    write_file("expiry", ",\"expirationTimestamp\":\"" + format_time(clock_.now() + life) + "\"");
  }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  int runs() const {
    std::ifstream file(folder_ / "runs");
    return static_cast<int>(
        std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n'));
  }

  void use(const ExecPlugin& plugin) {
    credential_ = std::make_unique<PluginCredential>(loop_.get_executor(), plugin,
                                                     [this] { return clock_.now(); });
    credential_->renew_in(renewals_,
                          [this](const Error& error) { told_.push_back(error.message); });
  }
  // Its token, or the error's message.
  std::string token() {
    const auto credential = await(credential_->get());
    if (!credential) return credential.error().message;
    last_ = *credential;
    return last_->token.reveal();
  }

  ManualClock clock_{PluginCredential::wall_now()};
  TaskGroup renewals_{loop_.get_executor()};
  std::unique_ptr<PluginCredential> credential_;
  PluginCredential::Shared last_;
  std::vector<std::string> told_;
};

const char* const kFailed = "here: \"sh\" ended with exit code 4; run it by hand to see why";

TEST_F(PluginCredentialTest, RunsOnceUntilItIsRefused) {
  write_file("expiry", "");
  use(plugin());
  EXPECT_EQ(token(), "t1");
  EXPECT_EQ(token(), "t1");
  const PluginCredential::Shared first = last_;
  credential_->refused(first);
  EXPECT_EQ(token(), "t2");
  credential_->refused(first);
  EXPECT_EQ(token(), "t2") << "the one that was refused is gone already";
  EXPECT_EQ(runs(), 2);
}

TEST_F(PluginCredentialTest, IsRenewedShortlyBeforeItExpires) {
  expires_in(kLife);
  use(plugin());
  EXPECT_EQ(token(), "t1");
  clock_.advance(Seconds(89));
  EXPECT_EQ(token(), "t1");
  EXPECT_EQ(renewals_.size(), 0U);
  clock_.advance(Seconds(2));
  expires_in(kLife);
  EXPECT_EQ(token(), "t1");
  EXPECT_TRUE(until([&] { return token() == "t2"; }));
  EXPECT_EQ(*last_->expires, clock_.now() + kLife);
  EXPECT_EQ(runs(), 2);
}

TEST_F(PluginCredentialTest, ARenewalHoldsUpNobodyWhileTheLastOneIsValid) {
  expires_in(kLife);
  use(plugin("[ $(wc -l < " + file("runs") + ") = 1 ] || while [ ! -e " + file("go") +
             " ]; do sleep 0.02; done;"));
  EXPECT_EQ(token(), "t1");
  clock_.advance(Seconds(95));
  expires_in(kLife);
  EXPECT_EQ(token(), "t1");
  ASSERT_TRUE(until([&] { return runs() == 2; }));
  EXPECT_EQ(token(), "t1");
  EXPECT_EQ(token(), "t1");
  EXPECT_EQ(renewals_.size(), 1U) << "one at a time";
  clock_.advance(Seconds(5));
  std::vector<std::string> waiting;
  group_.spawn("get", get_into(*credential_, waiting));
  loop_.run_for(Millis(100));
  EXPECT_TRUE(waiting.empty()) << "it has expired";
  write_file("go", "");
  ASSERT_TRUE(until([&] { return !waiting.empty(); }));
  EXPECT_EQ(waiting, std::vector<std::string>{"t2"}) << "the run that was under way";
  EXPECT_EQ(runs(), 2);
}

TEST_F(PluginCredentialTest, WithoutAGroupItIsUsedUntilItExpires) {
  expires_in(kLife);
  PluginCredential credential(loop_.get_executor(), plugin(), [this] { return clock_.now(); });
  const auto token = [&] {
    const auto got = await(credential.get());
    return got ? (*got)->token.reveal() : got.error().message;
  };
  EXPECT_EQ(token(), "t1");
  clock_.advance(kLife - Millis(1));
  EXPECT_EQ(token(), "t1");
  clock_.advance(Millis(1));
  EXPECT_EQ(token(), "t2");
  EXPECT_EQ(runs(), 2);
}

TEST_F(PluginCredentialTest, CallsShareOneRun) {
  write_file("expiry", "");
  use(plugin("sleep 0.1;"));
  std::vector<std::string> tokens;
  for (int i = 0; i < 5; ++i) group_.spawn("get", get_into(*credential_, tokens));
  EXPECT_TRUE(until([&] { return tokens.size() == 5; }));
  EXPECT_EQ(tokens, std::vector<std::string>(5, "t1"));
  EXPECT_EQ(runs(), 1);
}

TEST_F(PluginCredentialTest, WhoeverIsCancelledLeavesTheRunToTheOthers) {
  write_file("expiry", "");
  use(plugin("while [ ! -e " + file("go") + " ]; do sleep 0.02; done;"));
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
  write_file("expiry", "");
  use(plugin("[ -e " + file("good") + " ] || exit 4;"));
  std::vector<std::string> answers;
  for (int i = 0; i < 3; ++i) group_.spawn("get", get_into(*credential_, answers));
  ASSERT_TRUE(until([&] { return answers.size() == 3; }));
  EXPECT_EQ(answers, std::vector<std::string>(3, kFailed));
  EXPECT_EQ(runs(), 1);
  write_file("good", "");
  EXPECT_TRUE(until([&] { return token() == "t2"; }));
}

TEST_F(PluginCredentialTest, AFailedRenewalIsToldOnceAndNobodysWhileTheLastOneIsValid) {
  expires_in(kLife);
  use(plugin("[ $(wc -l < " + file("runs") + ") = 1 ] || [ -e " + file("good") + " ] || exit 4;"));
  EXPECT_EQ(token(), "t1");
  clock_.advance(Seconds(95));
  EXPECT_EQ(token(), "t1");
  ASSERT_TRUE(until([&] { return told_.size() == 1; }));
  const auto failed_at = std::chrono::steady_clock::now();
  EXPECT_TRUE(until([&] { return token() == "t1" && runs() > 2 && renewals_.size() == 0; }));
  EXPECT_GE(std::chrono::steady_clock::now(), failed_at + Millis(900)) << "not at once again";
  EXPECT_EQ(told_, std::vector<std::string>{kFailed});
  clock_.advance(Seconds(5));
  EXPECT_EQ(token(), kFailed) << "it has expired";
  expires_in(kLife);
  write_file("good", "");
  EXPECT_TRUE(until([&] { return token().starts_with("t"); }));
  clock_.advance(Seconds(95));
  std::filesystem::remove(folder_ / "good");
  EXPECT_TRUE(until([&] { return token().starts_with("t") && told_.size() == 2; })) << "anew";
}

TEST_F(PluginCredentialTest, OneThatComesExpiredIsUsedAllTheSame) {
  expires_in(Seconds(-100));
  use(plugin());
  EXPECT_EQ(token(), "t1");
  clock_.advance(Millis(999));
  EXPECT_EQ(token(), "t1") << "for a second: the clocks may differ";
  clock_.advance(Millis(1));
  EXPECT_EQ(token(), "t2");
}

}  // namespace
}  // namespace spotkeeper::kube
