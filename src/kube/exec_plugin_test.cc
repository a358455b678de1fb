// SPDX-License-Identifier: Apache-2.0
#include "kube/exec_plugin.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <fstream>

#include "kube/script_server.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;

constexpr const char* kV1 = "client.authentication.k8s.io/v1";

std::string printed(const std::string& status) {
  return R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":)" +
         status + "}";
}

TEST(ExecCredential, TokenWithExpiry) {
  const auto credential = decode_exec_credential(
      printed(R"({"token":"t0","expirationTimestamp":"2026-11-21T10:00:00Z"})"), kV1);
  ASSERT_TRUE(credential) << credential.error().message;
  EXPECT_EQ(credential->token.reveal(), "t0");
  EXPECT_EQ(credential->client_cert_pem, "");
  ASSERT_TRUE(credential->expires);
  EXPECT_EQ(format_time_s(*credential->expires), "2026-11-21T10:00:00Z");
}

TEST(ExecCredential, CertificateWithoutExpiry) {
  const auto credential = decode_exec_credential(
      printed(R"({"clientCertificateData":"C","clientKeyData":"K","expirationTimestamp":null})"),
      kV1);
  ASSERT_TRUE(credential) << credential.error().message;
  EXPECT_TRUE(credential->token.empty());
  EXPECT_EQ(credential->client_cert_pem, "C");
  EXPECT_EQ(credential->client_key_pem.reveal(), "K");
  EXPECT_FALSE(credential->expires);
}

TEST(ExecCredential, SaysWhatIsWrongButNotWhatWasPrinted) {
  const std::pair<std::string, const char*> rows[] = {
      {"", "printed no JSON"},
      {"token-secret", "printed no JSON"},
      {R"({"kind":"Secret"})", "printed no object of kind ExecCredential"},
      {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1",
           "status":{"token":"token-secret"}})",
       "answered in another version than client.authentication.k8s.io/v1; correct apiVersion in "
       "the kubeconfig"},
      {printed("{}"), "printed neither a token nor a client certificate"},
      {printed(R"({"token":5})"), "printed neither a token nor a client certificate"},
      {printed(R"({"token":"token-secret\r\nX: y"})"),
       "printed a token with characters that cannot be sent"},
      {printed(R"({"token":"token-secret","clientKeyData":"K"})"),
       "printed a client certificate without its key, or the reverse"},
      {printed(R"({"token":"token-secret","expirationTimestamp":"soon"})"),
       "printed an expirationTimestamp that is no RFC 3339 time"},
      {printed(R"({"token":"token-secret","expirationTimestamp":5})"),
       "printed an expirationTimestamp that is no RFC 3339 time"},
  };
  for (const auto& [text, message] : rows) {
    const auto credential = decode_exec_credential(text, kV1);
    ASSERT_FALSE(credential) << text;
    EXPECT_EQ(credential.error().message, message) << text;
    EXPECT_EQ(credential.error().kind, ErrorKind::kRetryable);
  }
}

TEST(ExecInfo, TellsThePlugin) {
  ExecPlugin plugin{.place = "here", .command = "aws"};
  EXPECT_EQ(json::parse(exec_info(plugin, false)), json::parse(R"({"kind": "ExecCredential",
    "apiVersion": "client.authentication.k8s.io/v1", "spec": {"interactive": false}})"));
  plugin.cluster = R"({"server":"https://a"})";
  EXPECT_EQ(json::parse(exec_info(plugin, true)).at("spec"),
            json::parse(R"({"interactive": true, "cluster": {"server": "https://a"}})"));
}

class ExecPluginTest : public KubeTest {
 protected:
  ExecPlugin plugin(const std::string& script) const {
    return {.place = "kubeconfig /c: users[u].user.exec", .command = "sh", .args = {"-c", script}};
  }
  std::string failure(const ExecPlugin& plugin) {
    const auto credential = await(run_exec_plugin(plugin));
    return credential ? "no failure" : credential.error().message;
  }
};

TEST_F(ExecPluginTest, RunsWithItsEnvironment) {
  ::setenv("SPOTKEEPER_TEST_KEPT", "kept", 1);
  ::setenv("SPOTKEEPER_TEST_SET", "ours", 1);
  ExecPlugin plugin = this->plugin(
      "printf '%s' '" + printed(R"({"token":"'$SPOTKEEPER_TEST_KEPT-$SPOTKEEPER_TEST_SET'"})") +
      "'; printf '%s' \"$KUBERNETES_EXEC_INFO\" > " + (folder_ / "info").string());
  plugin.env = {{"SPOTKEEPER_TEST_SET", "own"}};
  const auto credential = await(run_exec_plugin(plugin));
  ASSERT_TRUE(credential) << credential.error().message;
  EXPECT_EQ(credential->token.reveal(), "kept-own");
  std::ifstream file(folder_ / "info");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), exec_info(plugin, false));
}

TEST_F(ExecPluginTest, SaysWhatToDo) {
  const std::string place = "kubeconfig /c: users[u].user.exec: ";
  ExecPlugin missing{.place = "kubeconfig /c: users[u].user.exec", .command = "no-such-plugin"};
  EXPECT_EQ(failure(missing), place +
                                  "\"no-such-plugin\" was not found in PATH; install it, or "
                                  "correct the command");
  missing.install_hint = "brew install\nno-such-plugin";
  EXPECT_EQ(failure(missing),
            place + "\"no-such-plugin\" was not found in PATH; brew install no-such-plugin");
  missing.command = "/nowhere/plugin";
  missing.install_hint = "";
  EXPECT_EQ(failure(missing), place +
                                  "\"/nowhere/plugin\" was not found; install it, or correct "
                                  "the command");
  EXPECT_EQ(failure(plugin("echo token-secret; exit 7")),
            place + "\"sh\" ended with exit code 7; run it by hand to see why");
  EXPECT_EQ(failure(plugin("kill -9 $$")),
            place + "\"sh\" was ended by signal 9; run it by hand to see why");
  EXPECT_EQ(failure(plugin("echo token-secret")), place + "\"sh\" printed no JSON");
  EXPECT_EQ(failure(plugin("yes")), place + "\"sh\" printed more than 1048576 bytes");
  ExecPlugin slow = plugin("sleep 1000");
  slow.timeout = Millis(100);
  EXPECT_EQ(failure(slow), place + "\"sh\" did not end within 100 ms");
}

// Standard input is a terminal as long as this lives.
class TerminalAsStdin {
 public:
  TerminalAsStdin() {
    if (::grantpt(master_) != 0 || ::unlockpt(master_) != 0) return;
    const int terminal = ::open(::ptsname(master_), O_RDWR | O_NOCTTY | O_CLOEXEC);
    ::dup2(terminal, STDIN_FILENO);
    ::close(terminal);
  }
  ~TerminalAsStdin() {
    ::dup2(before_, STDIN_FILENO);
    ::close(before_);
    ::close(master_);
  }
  TerminalAsStdin(const TerminalAsStdin&) = delete;
  TerminalAsStdin& operator=(const TerminalAsStdin&) = delete;

 private:
  int before_ = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  int master_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
};

TEST_F(ExecPluginTest, WhoAsksAPersonHasMoreTime) {
  const std::string late = "\"sh\" did not end within 100 ms";
  ExecPlugin slow =
      plugin("sleep 0.3; [ -t 0 ] && printf '%s' '" + printed(R"({"token":"t"})") + "'");
  EXPECT_EQ(slow.timeout, std::chrono::minutes(1));
  EXPECT_EQ(slow.interactive_timeout, std::chrono::minutes(10));
  slow.timeout = Millis(100);
  slow.interactive_timeout = Millis(8'000);
  const TerminalAsStdin terminal;
  ASSERT_EQ(::isatty(STDIN_FILENO), 1);
  EXPECT_TRUE(failure(slow).ends_with(late)) << "it never asks: 60 s";
  slow.interactive = ExecPlugin::Interactive::kIfAvailable;
  EXPECT_EQ(failure(slow), "no failure");
  slow.interactive = ExecPlugin::Interactive::kAlways;
  EXPECT_EQ(failure(slow), "no failure");
  slow.interactive_timeout = Millis(100);
  EXPECT_TRUE(failure(slow).ends_with(late));
}

TEST_F(ExecPluginTest, WithoutATerminalNobodyIsAsked) {
  ExecPlugin slow = plugin("sleep 1000");
  slow.interactive = ExecPlugin::Interactive::kIfAvailable;
  slow.timeout = Millis(100);
  const int before = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  EXPECT_TRUE(failure(slow).ends_with("did not end within 100 ms"));
  ::dup2(before, STDIN_FILENO);
  ::close(before);
  ::close(nothing);
}

// kubelogin starts a browser, and goes.
TEST_F(ExecPluginTest, LogsInThoughWhatItHasStartedStays) {
  ExecPlugin plugin = this->plugin("sleep 1000 & echo $! > " + (folder_ / "pid").string() +
                                   "; printf '%s' '" + printed(R"({"token":"t"})") + "'");
  plugin.timeout = Millis(8'000);
  EXPECT_EQ(failure(plugin), "no failure");
  pid_t pid = 0;
  std::ifstream(folder_ / "pid") >> pid;
  ASSERT_GT(pid, 0);
  EXPECT_EQ(::kill(pid, SIGKILL), 0);
}

}  // namespace
}  // namespace spotkeeper::kube
