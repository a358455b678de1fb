// SPDX-License-Identifier: Apache-2.0
// What a kubeconfig says beyond cluster and user of one file: several files, plugins,
// impersonation, passwords, proxies. The rest is in access_test.cc.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>

#include "kube/access.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;
using Strings = std::vector<std::string>;

TEST(KubeconfigFiles, AsKubectlHasIt) {
  EXPECT_EQ(kubeconfig_files("named", "a:b", "/home/me"), Strings{"named"});
  EXPECT_EQ(kubeconfig_files("", "a::b:a:", "/home/me"), (Strings{"a", "b"}));
  EXPECT_EQ(kubeconfig_files("", "", "/home/me"), Strings{"/home/me/.kube/config"});
  EXPECT_EQ(kubeconfig_files("", ":", "/home/me"), Strings{"/home/me/.kube/config"});
  EXPECT_EQ(kubeconfig_files("", "", ""), Strings());
}

class KubeconfigTest : public testing::Test {
 protected:
  KubeconfigTest() {
    std::string name = (std::filesystem::temp_directory_path() / "spotkeeper-config-XXXXXX");
    folder_ = ::mkdtemp(name.data());
  }
  ~KubeconfigTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name) << content;
    return at(name);
  }
  // With that user and, beside its server, that cluster.
  Result<Access> with(const std::string& user, const std::string& cluster = "") const {
    return from_kubeconfig(write("config",
                                 "current-context: c\n"
                                 "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                                 "clusters:\n- name: k\n  cluster:\n    server: https://api\n" +
                                     cluster + "users:\n- name: u\n  user:\n" + user));
  }

  std::filesystem::path folder_;
};

TEST_F(KubeconfigTest, OfSeveralFilesTheFirstThatHasItWins) {
  const Strings files = {
      write("one",
            "contexts: [{name: x, context: {cluster: k, user: u}}]\n"
            "users: [{name: u, user: {tokenFile: token}}]\n"),
      at("missing"),
      write("two",
            "current-context: x\nclusters: [{name: k, cluster: {server: 'https://two'}}]\n"
            "users: [{name: u, user: {token: second}}]\n"),
      write("three",
            "current-context: y\n"
            "clusters: [{name: k, cluster: {server: 'https://three'}}]\n"),
      write("empty", "{}"),
  };
  write("token", "t");
  const auto access = from_kubeconfig(files);
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->server, "https://two");
  EXPECT_EQ(access->token_file, at("token"));
  EXPECT_TRUE(access->token.empty());
  EXPECT_EQ(access->description, "kubeconfig " + at("one") + ", context x");
}

TEST_F(KubeconfigTest, SomeFileMustBeThere) {
  EXPECT_EQ(from_kubeconfig(Strings{}).error().message,
            "no kubeconfig: name one, or set KUBECONFIG or HOME");
  EXPECT_EQ(from_kubeconfig(Strings{at("a"), at("b")}).error().message,
            "no kubeconfig: none of " + at("a") + ", " + at("b") + " exists");
  const std::string bad = write("bad", "[");
  const auto access = from_kubeconfig(Strings{write("good", "{}"), bad});
  ASSERT_FALSE(access);
  EXPECT_TRUE(access.error().message.starts_with("kubeconfig " + bad + ": line "))
      << access.error().message;
}

TEST_F(KubeconfigTest, Plugin) {
  const auto access = with(R"(    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: aws
      args: [eks, get-token, --cluster-name, "1"]
      env: [{name: AWS_PROFILE, value: dev}]
      installHint: see docs
)");
  ASSERT_TRUE(access) << access.error().message;
  ASSERT_TRUE(access->exec);
  const ExecPlugin& plugin = *access->exec;
  EXPECT_EQ(plugin.place, "kubeconfig " + at("config") + ": users[u].user.exec");
  EXPECT_EQ(plugin.command, "aws") << "found in PATH";
  EXPECT_EQ(plugin.args, (Strings{"eks", "get-token", "--cluster-name", "1"}));
  ASSERT_EQ(plugin.env.size(), 1U);
  EXPECT_EQ(plugin.env[0].first, "AWS_PROFILE");
  EXPECT_EQ(plugin.env[0].second, "dev");
  EXPECT_EQ(plugin.api_version, "client.authentication.k8s.io/v1beta1");
  EXPECT_EQ(plugin.interactive, ExecPlugin::Interactive::kIfAvailable);
  EXPECT_EQ(plugin.install_hint, "see docs");
  EXPECT_EQ(plugin.cluster, "");
  EXPECT_EQ(plugin.timeout, Millis(60'000));
}

TEST_F(KubeconfigTest, PluginThatIsToldOfTheCluster) {
  const auto access = with(
      R"(    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: bin/login
      interactiveMode: Never
      provideClusterInfo: true
      args: null
      env: null
)",
      R"(    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==
    tls-server-name: name
    proxy-url: socks5://proxy:1080
    extensions:
    - {name: other, extension: 1}
    - name: client.authentication.k8s.io/exec
      extension: {audience: "06e3", deep: [1, 2.5, true, no such, null, "true"]}
)");
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->tls.proxy, "socks5h://proxy:1080");
  ASSERT_TRUE(access->exec);
  EXPECT_EQ(access->exec->command, at("bin/login")) << "relative to the kubeconfig";
  EXPECT_EQ(access->exec->interactive, ExecPlugin::Interactive::kNever);
  EXPECT_TRUE(access->exec->env.empty());
  EXPECT_EQ(json::parse(access->exec->cluster), json::parse(R"({
    "server": "https://api", "tls-server-name": "name", "proxy-url": "socks5://proxy:1080",
    "certificate-authority-data": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==",
    "config": {"audience": "06e3", "deep": [1, 2.5, true, "no such", null, "true"]}})"));
}

TEST_F(KubeconfigTest, AliasesOfAliasesAreNotWrittenOutWithoutEnd) {
  std::string lists = "&a0 [x, x]";
  for (int i = 1; i < 17; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    lists += ", &a" + std::to_string(i) + " [" + last + ", " + last + "]";
  }
  const auto access = with(
      R"(    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: login
      interactiveMode: Never
      provideClusterInfo: true
)",
      R"(    extensions:
    - name: client.authentication.k8s.io/exec
      extension: [)" +
          lists + "]\n");
  ASSERT_TRUE(access) << access.error().message;
  ASSERT_TRUE(access->exec);
  EXPECT_LT(access->exec->cluster.size(), size_t{512} * 1024);
}

TEST_F(KubeconfigTest, ATokenWinsOverAPlugin) {
  const auto access = with("    token: t\n    exec: {command: aws}\n");
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_FALSE(access->exec);
  EXPECT_EQ(access->token.reveal(), "t");
}

TEST_F(KubeconfigTest, Password) {
  const auto access = with("    username: me\n    password: hunter2\n");
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->basic.reveal(), "me:hunter2");
}

TEST_F(KubeconfigTest, Impersonation) {
  const auto access = with(R"(    token: t
    as: alice
    as-uid: u1
    as-groups: [dev, ops]
    as-user-extra: {reason: [a, b], acme.com/Project: [c]}
)");
  ASSERT_TRUE(access) << access.error().message;
  std::string all;
  for (const http::Header& each : access->impersonate) all += each.name + "=" + each.value + "\n";
  EXPECT_EQ(all,
            "Impersonate-User=alice\nImpersonate-Uid=u1\nImpersonate-Group=dev\n"
            "Impersonate-Group=ops\nImpersonate-Extra-reason=a\nImpersonate-Extra-reason=b\n"
            "Impersonate-Extra-acme.com%2FProject=c\n");
}

TEST_F(KubeconfigTest, RemembersWhichFilesCanBeReplaced) {
  constexpr const char* kPem = "-----BEGIN CERTIFICATE-----\n";
  write("ca", kPem);
  write("cert", kPem);
  write("key", kPem);
  const auto access = with("    client-certificate: cert\n    client-key: key\n",
                           "    certificate-authority: ca\n");
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->ca_file, at("ca"));
  EXPECT_EQ(access->client_cert_file, at("cert"));
  EXPECT_EQ(access->client_key_file, at("key"));
  write("ca", "");
  EXPECT_EQ(with("    {}\n", "    certificate-authority: ca\n").error().message,
            "kubeconfig " + at("config") +
                ": clusters[k].cluster.certificate-authority: " + at("ca") + " is empty");
}

}  // namespace
}  // namespace spotkeeper::kube
