// SPDX-License-Identifier: Apache-2.0
#include "kube/program.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <fstream>

#include "kube/script_server.h"

namespace spotkeeper::kube {
namespace {

class ProgramTest : public KubeTest {
 protected:
  Result<ProgramEnd> sh(const std::string& script, size_t most = 1000,
                        Millis at_most = Millis(8'000)) {
    const Program program{.argv = {"sh", "-c", script}, .env = {"PATH=/usr/bin:/bin", "A=b c"}};
    return await(run_program(program, most, at_most));
  }

  // The process id that a script wrote into a file; 0 until it has.
  pid_t written_pid() const {
    pid_t pid = 0;
    std::ifstream(folder_ / "pid") >> pid;
    return pid;
  }
};

TEST_F(ProgramTest, CollectsWhatItPrints) {
  const auto end = sh("printf %s \"$A\"; printf more; exit 3");
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->output, "b cmore");
  EXPECT_EQ(end->exit_code, 3);
  EXPECT_EQ(end->signal, 0);
}

TEST_F(ProgramTest, ReadsMoreThanAPipeHolds) {
  const auto end = sh("yes | head -c 300000", 400'000);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->output.size(), 300'000U);
}

// As a login helper does that starts a browser, or a daemon that keeps what it has fetched.
TEST_F(ProgramTest, ItsOwnEndCountsWhoeverHoldsItsOutputOpen) {
  const auto end =
      sh("sleep 1000 & echo $! > " + (folder_ / "pid").string() + "; yes | head -c 50000; exit 3",
         100'000);
  const pid_t pid = written_pid();
  ASSERT_GT(pid, 0);
  EXPECT_EQ(::kill(pid, 0), 0) << "it is left alone";
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->output.size(), 50'000U);
  EXPECT_EQ(end->exit_code, 3);
}

TEST_F(ProgramTest, WhatIsPrintedAfterItsEndIsNotItsOwn) {
  const auto end =
      sh("while :; do echo late; done & echo $! > " + (folder_ / "pid").string() + "; sleep 0.1",
         size_t{256} * 1024 * 1024);
  const pid_t pid = written_pid();
  ASSERT_GT(pid, 0);
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_TRUE(end->output.starts_with("late\n"));
}

TEST_F(ProgramTest, ItsEndIsAwaitedWhenItsOutputIsClosed) {
  const auto end = sh("printf all; exec >&-; sleep 0.1; exit 3");
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->output, "all");
  EXPECT_EQ(end->exit_code, 3);
}

TEST_F(ProgramTest, TellsTheSignal) {
  const auto end = sh("kill -9 $$");
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->signal, SIGKILL);
}

TEST_F(ProgramTest, HasNothingOfOursButStderr) {
  // no pipe: the shell would hold its ends for a moment; and not last: the shell would become it
  const auto end = sh("cat; ls /proc/$$/fd; true");
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->output, "0\n1\n2\n") << "stdin is empty, and no descriptor is inherited";
}

TEST_F(ProgramTest, HasNotOurIgnoredSignals) {
  struct sigaction before{};
  struct sigaction ignored{};
  ignored.sa_handler = SIG_IGN;
  ASSERT_EQ(::sigaction(SIGPIPE, &ignored, &before), 0);
  const auto end = sh("kill -PIPE $$; echo still here");
  ::sigaction(SIGPIPE, &before, nullptr);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->signal, SIGPIPE);
  EXPECT_EQ(end->output, "");
}

TEST_F(ProgramTest, IsNotFound) {
  const auto end = await(run_program({.argv = {"no-such-program"}, .env = {}}, 10, Millis(1'000)));
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().kind, ErrorKind::kPermanent);
  EXPECT_EQ(end.error().reason, "NotFound");
}

TEST_F(ProgramTest, CannotBeStarted) {
  const auto end =
      await(run_program({.argv = {write_file("plain", "text")}, .env = {}}, 10, Millis(1'000)));
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().kind, ErrorKind::kPermanent);
  EXPECT_EQ(end.error().message, "Permission denied");
}

TEST_F(ProgramTest, IsNoShellScriptWithoutItsFirstLine) {
  const std::string file = write_file("script", "echo hello\n");
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  const auto end = await(run_program({.argv = {file}, .env = {}}, 10, Millis(1'000)));
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().message, "Exec format error");
}

TEST_F(ProgramTest, PrintsTooMuch) {
  const auto end = sh("yes", 1000);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().kind, ErrorKind::kRetryable);
  EXPECT_EQ(end.error().message, "printed more than 1000 bytes");
}

TEST_F(ProgramTest, IsKilledAndReapedWhenItTakesTooLong) {
  const auto end =
      sh("echo $$ > " + (folder_ / "pid").string() + "; exec sleep 1000", 1000, Millis(300));
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().kind, ErrorKind::kRetryable);
  EXPECT_EQ(end.error().message, "did not end within 300 ms");
  const pid_t pid = written_pid();
  ASSERT_GT(pid, 0);
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST_F(ProgramTest, WhatItHasStartedIsKilledToo) {
  const auto end =
      sh("sleep 1000 & echo $! > " + (folder_ / "pid").string() + "; wait", 1000, Millis(300));
  ASSERT_FALSE(end);
  const pid_t pid = written_pid();
  ASSERT_GT(pid, 0);
  // it is init's to reap: until then it is a zombie
  EXPECT_TRUE(until([&] {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string number;
    std::string name;
    std::string state;
    return !(file >> number >> name >> state) || state == "Z";
  }));
}

Task<> run_and_drop(std::string script) {
  const Program program{.argv = {"sh", "-c", std::move(script)}, .env = {}};
  co_await run_program(program, 1000, Millis(60'000));
}

TEST_F(ProgramTest, IsKilledWhenTheTaskIsCancelled) {
  TaskGroup tasks(loop_.get_executor());
  tasks.spawn("run", run_and_drop("echo $$ > " + (folder_ / "pid").string() + "; exec sleep 1000"));
  ASSERT_TRUE(until([&] { return written_pid() > 0; }));
  tasks.cancel();
  ASSERT_TRUE(until([&] { return tasks.size() == 0; }));
  EXPECT_EQ(::kill(written_pid(), 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

}  // namespace
}  // namespace spotkeeper::kube
