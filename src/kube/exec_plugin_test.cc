// SPDX-License-Identifier: Apache-2.0
#include "kube/exec_plugin.h"

#include <gtest/gtest.h>
#include <stdlib.h>

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

}  // namespace
}  // namespace spotkeeper::kube
