// SPDX-License-Identifier: Apache-2.0
// Who an Api says it is: plugins, passwords, impersonation; client certificates and CAs that are
// replaced while it runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "http/test_tls.h"
#include "kube/script_server.h"

namespace spotkeeper::kube {
namespace {

class ApiLoginTest : public KubeTest {
 protected:
  static Call get() {
    Call call;
    call.path = "/thing";
    call.resource = "things";
    return call;
  }
  std::string answer() {
    const auto answer = await(api_->call(get()));
    return answer ? "fine" : answer.error().message;
  }
  // A plugin that prints what the file `printed` holds.
  ExecPlugin plugin(const std::string& status) const {
    write("printed", R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)"
                     R"("status":)" +
                         status + "}");
    const std::string script =
        "echo run >> " + (folder_ / "runs").string() + "; cat " + (folder_ / "printed").string();
    return {.place = "here", .command = "sh", .args = {"-c", script}};
  }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name) << content;
  }
  std::string runs() const {
    std::ifstream file(folder_ / "runs");
    return std::to_string(
        std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n'));
  }
};

TEST_F(ApiLoginTest, PluginsToken) {
  server_.on("/thing", {.body = "{}"});
  connect([&](Access& access) { access.exec = plugin(R"({"token":"t1"})"); });
  EXPECT_EQ(answer(), "fine");
  EXPECT_EQ(answer(), "fine");
  EXPECT_EQ(server_.seen[1].header("Authorization"), "Bearer t1");
  EXPECT_EQ(runs(), "1");
}

TEST_F(ApiLoginTest, PluginRunsAgainOnceWhenItsTokenIsRefused) {
  server_.on("/thing", {.status = 401});
  server_.on("/thing", {.body = "{}"});
  server_.on("/thing", {.status = 401});
  connect([&](Access& access) { access.exec = plugin(R"({"token":"t1"})"); });
  EXPECT_EQ(answer(), "fine");
  EXPECT_EQ(runs(), "2");
  EXPECT_EQ(answer(), "get things: 401 Unauthorized");
  EXPECT_EQ(runs(), "3");
  EXPECT_EQ(server_.seen.size(), 4U);
}

// Every second run fails: should a slow machine not get to a renewal in its tenth of the life, the
// next life will do.
TEST_F(ApiLoginTest, PluginsTokenIsRenewedInTheGroup) {
  server_.on("/thing", {.body = "{}"});
  const std::string expiry = "$(date -u -d '+3 seconds' +%Y-%m-%dT%H:%M:%S.%NZ)";
  ExecPlugin flaky = plugin(R"({"token":"t1","expirationTimestamp":"EXPIRY"})");
  flaky.args[1] = "echo run >> " + (folder_ / "runs").string() + "; [ $(($(wc -l < " +
                  (folder_ / "runs").string() + ") % 2)) = 1 ] || exit 5; sed \"s/EXPIRY/" +
                  expiry + "/\" " + (folder_ / "printed").string();
  connect([&](Access& access) { access.exec = flaky; });
  std::vector<std::string> told;
  api_->renew_in(group_, [&](const Error& error) { told.push_back(error.message); });
  EXPECT_EQ(answer(), "fine");
  for (int life = 0; life < 5 && told.empty(); ++life) {
    until([&] { return answer() == "fine" && !told.empty(); });
  }
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0], "here: \"sh\" ended with exit code 5; run it by hand to see why");
  ASSERT_TRUE(until([&] { return group_.size() == 1; })) << "but the server";
}

TEST_F(ApiLoginTest, PluginThatFailsIsAnErrorWithoutARequest) {
  connect([&](Access& access) {
    access.exec = ExecPlugin{.place = "here", .command = "sh", .args = {"-c", "exit 3"}};
  });
  EXPECT_EQ(answer(), "get things: here: \"sh\" ended with exit code 3; run it by hand to see why");
  EXPECT_TRUE(server_.seen.empty());
}

TEST_F(ApiLoginTest, PasswordAndImpersonation) {
  server_.on("/thing", {.body = "{}"});
  connect([](Access& access) {
    access.basic = Secret("me:hunter2");
    access.impersonate = {{.name = "Impersonate-User", .value = "alice"},
                          {.name = "Impersonate-Group", .value = "a"},
                          {.name = "Impersonate-Group", .value = "b"}};
  });
  EXPECT_EQ(answer(), "fine");
  EXPECT_EQ(server_.seen[0].header("Authorization"), "Basic bWU6aHVudGVyMg==");
  EXPECT_EQ(server_.seen[0].header("Impersonate-User"), "alice");
  EXPECT_EQ(std::ranges::count(server_.seen[0].headers, "Impersonate-Group", &http::Header::name),
            2);
}

// With a TLS server whose certificate can be changed. Every connection serves one request, so that
// the next one shakes hands anew.
class ApiTlsTest : public ApiLoginTest {
 protected:
  ApiTlsTest()
      : tls_(group_, http::once(http::answer("{}", "200 OK", "Connection: close\r\n")),
             [this](boost::asio::ip::tcp::socket socket) { return peers_(std::move(socket)); }) {}

  // From now on; `client_ca`: whose client certificates it wants, empty: none.
  void serve(const http::TestCa& ca, const std::string& client_ca = "") {
    peers_ = http::tls_peers(ca.issue("IP:127.0.0.1"), client_ca);
  }
  // An Api whose CA (and client certificate, where there is such a file) come from files.
  void connect_tls() {
    connect([&](Access& access) {
      access.server = tls_.url("");
      access.ca_file = (folder_ / "ca").string();
      access.tls.ca_pem = read("ca");
      if (!std::filesystem::exists(folder_ / "cert")) return;
      access.client_cert_file = (folder_ / "cert").string();
      access.client_key_file = (folder_ / "key").string();
      access.tls.client_cert_pem = read("cert");
      access.tls.client_key_pem = Secret(read("key"));
    });
  }
  std::string read(const std::string& name) const {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // As kubelets and secret managers do it: a new file takes the name.
  void replace(const std::string& name, const std::string& content) const {
    write(name + ".new", content);
    std::filesystem::rename(folder_ / (name + ".new"), folder_ / name);
  }

  http::TestCa first_{"first"};
  http::TestCa second_{"second"};
  http::ScriptServer::MakePeer peers_;
  http::ScriptServer tls_;
};

TEST_F(ApiTlsTest, ACaThatIsReplacedIsUsedByTheNextCall) {
  write("ca", first_.pem());
  serve(first_);
  connect_tls();
  EXPECT_EQ(answer(), "fine");
  serve(second_);
  EXPECT_NE(answer(), "fine") << "nobody knows the second CA yet";
  replace("ca", second_.pem());
  EXPECT_EQ(answer(), "fine");
  serve(first_);
  EXPECT_NE(answer(), "fine") << "the first is trusted no more";
}

TEST_F(ApiTlsTest, AFileThatLooksUntouchedIsReadAgainAfterAFailure) {
  write("ca", first_.pem());
  const std::filesystem::path ca = folder_ / "ca";
  const auto written = std::filesystem::last_write_time(ca);
  serve(first_);
  connect_tls();
  EXPECT_EQ(answer(), "fine");
  write("ca", second_.pem());
  std::filesystem::last_write_time(ca, written);
  serve(second_);
  EXPECT_EQ(answer(), "fine");
  EXPECT_EQ(answers_,
            (std::vector<std::string>{"get things 200", "get things 0", "get things 200"}));
}

TEST_F(ApiTlsTest, ACaFileThatIsNoneChangesNothing) {
  write("ca", first_.pem());
  serve(first_);
  connect_tls();
  EXPECT_EQ(answer(), "fine");
  replace("ca", "");
  EXPECT_EQ(answer(), "fine");
  std::filesystem::remove(folder_ / "ca");
  EXPECT_EQ(answer(), "fine");
  serve(second_);
  EXPECT_NE(answer(), "fine");
  write("ca", second_.pem());
  EXPECT_EQ(answer(), "fine");
}

TEST_F(ApiTlsTest, AClientCertificateThatIsReplacedIsShown) {
  write("ca", first_.pem());
  const http::TestCa clients("clients");
  const http::TestCa later("later clients");
  const http::Certificate old_one = clients.issue("DNS:us");
  const http::Certificate new_one = later.issue("DNS:us");
  write("cert", old_one.pem);
  write("key", old_one.key_pem);
  serve(first_, clients.pem());
  connect_tls();
  EXPECT_EQ(answer(), "fine");
  replace("cert", new_one.pem);
  EXPECT_EQ(answer(), "fine") << "without its key the new certificate is of no use yet";
  replace("key", new_one.key_pem);
  serve(first_, later.pem());
  EXPECT_EQ(answer(), "fine");
}

TEST_F(ApiTlsTest, AClientCertificateOfAPlugin) {
  write("ca", first_.pem());
  const http::TestCa clients("clients");
  const http::Certificate ours = clients.issue("DNS:us");
  serve(first_, clients.pem());
  connect_tls();
  EXPECT_NE(answer(), "fine") << "the server wants a certificate";
  boost::json::object status{{"clientCertificateData", ours.pem}, {"clientKeyData", ours.key_pem}};
  connect([&](Access& access) {
    access.server = tls_.url("");
    access.tls.ca_pem = first_.pem();
    access.exec = plugin(boost::json::serialize(status));
  });
  EXPECT_EQ(answer(), "fine");
  EXPECT_EQ(answer(), "fine");
  EXPECT_EQ(runs(), "1");
}

}  // namespace
}  // namespace spotkeeper::kube
