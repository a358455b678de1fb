// SPDX-License-Identifier: Apache-2.0
#include "kube/access.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "kube/files.h"

namespace spotkeeper::kube {
namespace {

constexpr const char* kPem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
constexpr const char* kPem64 =
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBQUEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=";

class AccessTest : public testing::Test {
 protected:
  AccessTest() {
    std::string name = (std::filesystem::temp_directory_path() / "spotkeeper-access-XXXXXX");
    folder_ = ::mkdtemp(name.data());
  }
  ~AccessTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name) << content;
    return (folder_ / name).string();
  }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }

  // A kubeconfig with that cluster and that user, both indented by four.
  std::string config(const std::string& cluster, const std::string& user) const {
    return write("config",
                 "current-context: dev\n"
                 "contexts:\n- name: dev\n  context: {cluster: c1, user: u1}\n"
                 "clusters:\n- name: c1\n  cluster:\n" +
                     cluster + "users:\n- name: u1\n  user:\n" + user);
  }

  std::filesystem::path folder_;
};

constexpr const char* kServer = "    server: https://api.example:6443/\n";

TEST_F(AccessTest, InCluster) {
  write("token", "t");
  write("ca.crt", kPem);
  const auto access = in_cluster(folder_.string(), "10.0.0.1", "443");
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->server, "https://10.0.0.1:443");
  EXPECT_EQ(access->token_file, at("token"));
  EXPECT_EQ(access->ca_file, at("ca.crt"));
  EXPECT_EQ(access->tls.ca_pem, kPem);
  EXPECT_EQ(access->description, "in cluster, https://10.0.0.1:443");
  EXPECT_EQ(in_cluster(folder_.string(), "fd00::1", "443")->server, "https://[fd00::1]:443");
  EXPECT_EQ(in_cluster(folder_.string(), "[fd00::1]", "443")->server, "https://[fd00::1]:443");
}

TEST_F(AccessTest, InClusterNamesWhatIsMissing) {
  EXPECT_EQ(in_cluster(folder_.string(), "", "443").error().message,
            "not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not both "
            "set");
  EXPECT_EQ(in_cluster(folder_.string(), "10.0.0.1", "443").error().message,
            "service account: " + at("token") + ": No such file or directory");
  write("token", "t");
  EXPECT_EQ(in_cluster(folder_.string(), "10.0.0.1", "443").error().message,
            "service account: " + at("ca.crt") + ": No such file or directory");
}

TEST_F(AccessTest, KubeconfigWithEverythingInside) {
  const std::string data = std::string(kPem64) + "\n";
  const auto access = from_kubeconfig(config(
      kServer + ("    certificate-authority-data: " + data) +
          "    tls-server-name: name\n    proxy-url: http://proxy:3128\n",
      "    token: secret\n    client-certificate-data: " + data + "    client-key-data: " + data));
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->server, "https://api.example:6443");
  EXPECT_EQ(access->tls.ca_pem, kPem);
  EXPECT_TRUE(access->tls.verify);
  EXPECT_EQ(access->tls.server_name, "name");
  EXPECT_EQ(access->tls.proxy, "http://proxy:3128");
  EXPECT_EQ(access->token.reveal(), "secret");
  EXPECT_EQ(access->token_file, "");
  EXPECT_EQ(access->tls.client_cert_pem, kPem);
  EXPECT_EQ(access->tls.client_key_pem.reveal(), kPem);
  EXPECT_EQ(access->description, "kubeconfig " + at("config") + ", context dev");
}

TEST_F(AccessTest, KubeconfigWithFilesBesideIt) {
  write("ca.pem", kPem);
  write("cert.pem", kPem);
  const std::string key = write("key.pem", kPem);
  write("tok", "t");
  const auto access = from_kubeconfig(config(
      kServer + std::string("    certificate-authority: ca.pem\n"),
      "    tokenFile: tok\n    client-certificate: cert.pem\n    client-key: " + key + "\n"));
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->tls.ca_pem, kPem);
  EXPECT_EQ(access->token_file, at("tok"));
  EXPECT_EQ(access->tls.client_cert_pem, kPem);
  EXPECT_EQ(access->tls.client_key_pem.reveal(), kPem);
}

TEST_F(AccessTest, KubeconfigInsecure) {
  const auto access = from_kubeconfig(
      config(kServer + std::string("    insecure-skip-tls-verify: true\n"), "    token: t\n"));
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_FALSE(access->tls.verify);
}

TEST_F(AccessTest, KubeconfigOfAnotherContext) {
  const std::string path = write("config", R"(
contexts:
- {name: a, context: {cluster: ca, user: ua}}
- {name: b, context: {cluster: cb, user: ub}}
- {name: anonymous, context: {cluster: cb}}
clusters:
- {name: ca, cluster: {server: "https://a"}}
- {name: cb, cluster: {server: "https://b/k8s/clusters/b"}}
users:
- {name: ua, user: {token: ta}}
- {name: ub, user: {token: tb}}
)");
  const auto b = from_kubeconfig(path, "b");
  ASSERT_TRUE(b) << b.error().message;
  EXPECT_EQ(b->server, "https://b/k8s/clusters/b");
  EXPECT_EQ(b->token.reveal(), "tb");
  const auto anonymous = from_kubeconfig(path, "anonymous");
  ASSERT_TRUE(anonymous) << anonymous.error().message;
  EXPECT_TRUE(anonymous->token.empty());
  EXPECT_EQ(from_kubeconfig(path).error().message,
            "kubeconfig " + path + ": current-context: is not set");
  EXPECT_EQ(from_kubeconfig(path, "c").error().message,
            "kubeconfig " + path + ": contexts: there is no entry named \"c\"");
}

struct BadUser {
  const char* cluster;
  const char* user;
  const char* message;
};

TEST_F(AccessTest, KubeconfigErrorsNameFileAndKey) {
  const BadUser rows[] = {
      {"    {}\n", "    {}\n", "clusters[c1].cluster.server: is not an http or https URL"},
      {"    server: https://\n", "    {}\n",
       "clusters[c1].cluster.server: is not an http or https URL"},
      {"    server: [1]\n", "    {}\n", "clusters[c1].cluster.server: is not a string"},
      {"    5\n", "    {}\n", "clusters[c1].cluster: is not a map"},
      {"    server: https://a\n    certificate-authority-data: '***'\n", "    {}\n",
       "clusters[c1].cluster.certificate-authority-data: is not base64"},
      {"    server: https://a\n    certificate-authority-data: AAAA\n", "    {}\n",
       "clusters[c1].cluster.certificate-authority-data: is not PEM"},
      {"    server: https://a\n    certificate-authority: /nowhere/ca\n", "    {}\n",
       "clusters[c1].cluster.certificate-authority: /nowhere/ca: No such file or directory"},
      {"    server: https://a\n    insecure-skip-tls-verify: maybe\n", "    {}\n",
       "clusters[c1].cluster.insecure-skip-tls-verify: is not true or false"},
      {"    server: https://a\n", "    tokenFile: /nowhere/token\n",
       "users[u1].user.tokenFile: /nowhere/token: No such file or directory"},
      {"    server: https://a\n", "    client-key-data: '***'\n",
       "users[u1].user.client-key-data: is not base64"},
      {"    server: https://a\n", "    exec: aws\n", "users[u1].user.exec: is not a map"},
      {"    server: https://a\n", "    exec: {command: aws, args: eks}\n",
       "users[u1].user.exec.args: is not a list"},
      {"    server: https://a\n", "    exec: {command: aws, args: [{}]}\n",
       "users[u1].user.exec.args: is not a list of strings"},
      {"    server: https://a\n", "    exec: {args: [eks]}\n",
       "users[u1].user.exec.command: is not set"},
      {"    server: https://a\n",
       "    exec: {command: aws, apiVersion: client.authentication.k8s.io/v1alpha1}\n",
       "users[u1].user.exec.apiVersion: is not client.authentication.k8s.io/v1 or "
       "client.authentication.k8s.io/v1beta1; update the plugin and its kubeconfig entry"},
      {"    server: https://a\n",
       "    exec: {command: aws, apiVersion: client.authentication.k8s.io/v1}\n",
       "users[u1].user.exec.interactiveMode: is not Never, IfAvailable or Always"},
      {"    server: https://a\n",
       "    exec: {command: aws, apiVersion: client.authentication.k8s.io/v1beta1, env: [{name: "
       "'A=B'}]}\n",
       "users[u1].user.exec.env[0].name: is not the name of a variable"},
      {"    server: https://a\n    proxy-url: socks4://p\n", "    {}\n",
       "clusters[c1].cluster.proxy-url: is not an http, https or socks5 URL"},
      {"    server: https://a\n", "    auth-provider: {name: gcp}\n",
       "users[u1].user.auth-provider: gcp: Kubernetes has removed auth providers; use an exec "
       "plugin (kubelogin, gke-gcloud-auth-plugin)"},
      {"    server: https://a\n", "    {username: a, password: hunter2, token: t}\n",
       "users[u1].user.username: cannot be combined with a token"},
      {"    server: https://a\n", "    {as-groups: [g]}\n",
       "users[u1].user.as: is not set, as-uid, as-groups or as-user-extra is"},
      {"    server: https://a\n", "    {as: u, as-groups: g}\n",
       "users[u1].user.as-groups: is not a list"},
  };
  for (const BadUser& row : rows) {
    const auto access = from_kubeconfig(config(row.cluster, row.user));
    ASSERT_FALSE(access) << row.message;
    EXPECT_EQ(access.error().kind, ErrorKind::kPermanent);
    EXPECT_EQ(access.error().message, "kubeconfig " + at("config") + ": " + row.message);
  }
}

TEST_F(AccessTest, KubeconfigInsecureWithACaIsRefused) {
  const auto access =
      from_kubeconfig(config(kServer + std::string("    insecure-skip-tls-verify: true\n") +
                                 "    certificate-authority-data: " + kPem64 + "\n",
                             "    token: t\n"));
  ASSERT_FALSE(access);
  EXPECT_EQ(access.error().message,
            "kubeconfig " + at("config") +
                ": clusters[c1].cluster.insecure-skip-tls-verify: cannot be combined with a CA");
}

TEST_F(AccessTest, KubeconfigNeedsCertificateAndKeyTogether) {
  const std::string data = std::string(kPem64) + "\n";
  EXPECT_EQ(from_kubeconfig(config(kServer, "    client-key-data: " + data)).error().message,
            "kubeconfig " + at("config") +
                ": users[u1].user.client-key: there is no client-certificate to it");
  EXPECT_EQ(
      from_kubeconfig(config(kServer, "    client-certificate-data: " + data)).error().message,
      "kubeconfig " + at("config") +
          ": users[u1].user.client-certificate: there is no client-key to it");
}

TEST_F(AccessTest, KubeconfigThatIsNone) {
  EXPECT_EQ(from_kubeconfig(at("none")).error().message,
            "kubeconfig: " + at("none") + ": No such file or directory");
  EXPECT_EQ(from_kubeconfig(write("config", "just text")).error().message,
            "kubeconfig " + at("config") + ": is not a YAML map");
  const auto broken = from_kubeconfig(write("config", "a: b\nc: [token-secret\n"));
  ASSERT_FALSE(broken);
  EXPECT_TRUE(broken.error().message.starts_with("kubeconfig " + at("config") + ": line "))
      << broken.error().message;
  EXPECT_EQ(broken.error().message.find("token-secret"), std::string::npos);
  for (const char* text : {"contexts: 5\ncurrent-context: a\n", "current-context: [a]\n",
                           "current-context: a\ncontexts: [5, {name: [x]}, {name: a}]\n", "[]", "",
                           "current-context: a\ncontexts: [{name: a, context: {cluster: {}}}]\n"}) {
    const auto access = from_kubeconfig(write("config", text));
    ASSERT_FALSE(access) << text;
    EXPECT_EQ(access.error().kind, ErrorKind::kPermanent);
  }
}

TEST(Base64, DecodesOrRefuses) {
  EXPECT_EQ(decode_base64("aGVsbG8="), "hello");
  EXPECT_EQ(decode_base64("aGVs\n bG8h"), "hello!");
  EXPECT_EQ(decode_base64("YQ=="), "a");
  for (const char* bad :
       {"", "a", "aGVsbG8", "aG=sbG8=", "====", "a===", "!!!!", "aGVs----", "aGVs\v\v\v\v"}) {
    EXPECT_FALSE(decode_base64(bad)) << bad;
  }
}

}  // namespace
}  // namespace spotkeeper::kube
