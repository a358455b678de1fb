// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "http/client.h"
#include "http/http_fixture.h"
#include "http/test_server.h"
#include "http/test_tls.h"

namespace spotkeeper::http {
namespace {

using ::testing::HasSubstr;

class TlsTest : public HttpFixture {
 protected:
  // One request by a client of these options to a server that shows this certificate.
  Result<Response> get_with(ClientOptions options, const Certificate& certificate,
                            const std::string& client_ca = "") {
    ScriptServer server(tasks_, always(answer("secret")), tls_peers(certificate, client_ca));
    Client client(executor(), std::move(options));
    return run(client.send({.url = server.url()}));
  }

  TestCa ca_{"the right CA"};
  TestCa other_ca_{"another CA"};
  Certificate certificate_ = ca_.issue("IP:127.0.0.1");
  std::string asked_for_;
  std::string request_;
};

void expect_distrust(const Result<Response>& result) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kPermanent) << result.error().message;
  EXPECT_THAT(result.error().message, HasSubstr("GET https://127.0.0.1:"));
  EXPECT_THAT(result.error().message, HasSubstr("certificate"));
}

TEST_F(TlsTest, TheRightCaVerifies) {
  const auto response = get_with({.ca_pem = ca_.pem()}, certificate_);
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->body, "secret");
}

TEST_F(TlsTest, ABundleOfSeveralCasVerifies) {
  EXPECT_TRUE(get_with({.ca_pem = other_ca_.pem() + ca_.pem()}, certificate_).has_value());
}

TEST_F(TlsTest, ACaFileVerifies) {
  const std::string path = ::testing::TempDir() + "spotkeeper-ca.pem";
  std::ofstream(path) << ca_.pem();
  EXPECT_TRUE(get_with({.ca_file = path}, certificate_).has_value());
  expect_distrust(get_with({.ca_file = path}, other_ca_.issue("IP:127.0.0.1")));
  EXPECT_TRUE(get_with({.ca_file = "/nowhere", .ca_pem = ca_.pem()}, certificate_).has_value())
      << "the bundle in memory wins over the file";
  std::remove(path.c_str());
}

TEST_F(TlsTest, AMissingCaFileIsPermanent) {
  expect_distrust(get_with({.ca_file = "/nowhere/ca.pem"}, certificate_));
}

TEST_F(TlsTest, AWrongCaIsRefused) {
  expect_distrust(get_with({.ca_pem = other_ca_.pem()}, certificate_));
}

TEST_F(TlsTest, TheSystemsBundleDoesNotKnowOurCa) {
  expect_distrust(get_with({}, certificate_));
}

TEST_F(TlsTest, AnotherNameIsRefused) {
  const auto result = get_with({.ca_pem = ca_.pem()}, ca_.issue("DNS:other.test,IP:127.0.0.2"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kPermanent) << result.error().message;
}

TEST_F(TlsTest, AnExpiredCertificateIsRefused) {
  const auto result = get_with({.ca_pem = ca_.pem()}, ca_.issue("IP:127.0.0.1", true));
  expect_distrust(result);
  EXPECT_THAT(result.error().message, HasSubstr("expired"));
}

TEST_F(TlsTest, VerifyingCanBeSwitchedOff) {
  EXPECT_TRUE(get_with({.verify = false}, certificate_).has_value());
  EXPECT_TRUE(get_with({.verify = false}, ca_.issue("DNS:other.test")).has_value());
}

TEST_F(TlsTest, TheEnvironmentDoesNotChangeTrust) {
  const std::string path = ::testing::TempDir() + "spotkeeper-environment-ca.pem";
  std::ofstream(path) << ca_.pem();
  const ScopedVariable cert_file("SSL_CERT_FILE", path.c_str());
  const ScopedVariable bundle("CURL_CA_BUNDLE", path.c_str());
  expect_distrust(get_with({}, certificate_));
  expect_distrust(get_with({.ca_pem = other_ca_.pem()}, certificate_));
  const ScopedVariable nowhere_file("SSL_CERT_FILE", "/nowhere");
  const ScopedVariable nowhere_bundle("CURL_CA_BUNDLE", "/nowhere");
  EXPECT_TRUE(get_with({.ca_pem = ca_.pem()}, certificate_).has_value());
  std::remove(path.c_str());
}

Task<> note_names(Peer& peer, std::string* asked_for, std::string* request) {
  for (;;) {
    *request = co_await peer.request();
    *asked_for = dynamic_cast<TlsPeer&>(peer).asked_for();
    co_await peer.write(answer("x"));
  }
}

TEST_F(TlsTest, VerifiesServerNameInsteadOfTheHost) {
  ScriptServer server(
      tasks_, [this](Peer& peer) { return note_names(peer, &asked_for_, &request_); },
      tls_peers(ca_.issue("DNS:kubernetes.test")));
  Client client(executor(), {.ca_pem = ca_.pem(), .server_name = "kubernetes.test"});
  for (int i = 0; i < 2; ++i) {
    const auto response = run(client.send({.url = server.url("/a/../b?c=d")}));
    ASSERT_TRUE(response.has_value()) << response.error().message;
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(asked_for_, "kubernetes.test");
  const std::string host = "127.0.0.1:" + std::to_string(server.port());
  EXPECT_TRUE(request_.starts_with("GET /a/../b?c=d HTTP/1.1\r\nHost: " + host + "\r\n"))
      << request_;

  Client wrong(executor(), {.ca_pem = ca_.pem(), .server_name = "other.test"});
  const auto refused = run(wrong.send({.url = server.url()}));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::kPermanent) << refused.error().message;
  EXPECT_THAT(refused.error().message, HasSubstr("GET https://" + host + "/:"));
}

Task<> note_resumed(Peer& peer, std::vector<bool>* resumed) {
  co_await peer.request();
  resumed->push_back(dynamic_cast<TlsPeer&>(peer).resumed());
  co_await peer.write(answer("x"));
}

TEST_F(TlsTest, LaterConnectionsResumeTheSessionOfTheFirst) {
  std::vector<bool> resumed;
  ScriptServer server(
      tasks_, [&resumed](Peer& peer) { return note_resumed(peer, &resumed); },
      tls_peers(certificate_));
  Client client(executor(), {.ca_pem = ca_.pem()});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(run(client.send({.url = server.url(), .fresh_connection = true})));
  }
  EXPECT_EQ(resumed, (std::vector<bool>{false, true, true}));

  // Another client trusts nobody because of it.
  Client wrong(executor(), {.ca_pem = other_ca_.pem()});
  expect_distrust(run(wrong.send({.url = server.url()})));
}

TEST_F(TlsTest, ShowsItsClientCertificate) {
  const Certificate client = other_ca_.issue("DNS:client.test");
  const auto response = get_with({.ca_pem = ca_.pem(),
                                  .client_cert_pem = client.pem,
                                  .client_key_pem = Secret(client.key_pem)},
                                 certificate_, other_ca_.pem());
  ASSERT_TRUE(response.has_value()) << response.error().message;
}

// This server knows no session id context, and so turns away who resumes a session.
TEST_F(TlsTest, WithAClientCertificateEachConnectionShowsIt) {
  const Certificate certificate = other_ca_.issue("DNS:client.test");
  ScriptServer server(tasks_, always(answer("x")), tls_peers(certificate_, other_ca_.pem()));
  Client client(executor(), {.ca_pem = ca_.pem(),
                             .client_cert_pem = certificate.pem,
                             .client_key_pem = Secret(certificate.key_pem)});
  for (int i = 0; i < 3; ++i) {
    const auto response = run(client.send({.url = server.url(), .fresh_connection = true}));
    EXPECT_TRUE(response) << response.error().message;
  }
}

TEST_F(TlsTest, WithoutTheClientCertificateItIsTurnedAway) {
  EXPECT_FALSE(get_with({.ca_pem = ca_.pem()}, certificate_, other_ca_.pem()).has_value());
}

TEST_F(TlsTest, AnUnusableClientCertificateIsPermanent) {
  const Certificate client = other_ca_.issue("DNS:client.test");
  const auto response = get_with({.ca_pem = ca_.pem(),
                                  .client_cert_pem = client.pem,
                                  .client_key_pem = Secret(certificate_.key_pem)},
                                 certificate_, other_ca_.pem());
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().kind, ErrorKind::kPermanent) << response.error().message;
}

// Does not wait for a request: what comes is no HTTP.
Task<> speak_plainly(Peer& peer) {
  co_await peer.write(answer("x"));
}

TEST_F(TlsTest, PlainHttpOnATlsPortIsAnError) {
  ScriptServer server(tasks_, speak_plainly);
  Client client(executor(), {.ca_pem = ca_.pem()});
  const auto response =
      run(client.send({.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/"}));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().kind, ErrorKind::kRetryable) << response.error().message;
}

TEST_F(TlsTest, OfferingHttp2ToAServerWithoutItGivesHttp1) {
  const auto response = get_with({.ca_pem = ca_.pem(), .http2 = true}, certificate_);
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->body, "secret");
}

TEST_F(TlsTest, AHandshakeThatStallsCountsAsConnecting) {
  ScriptServer server(tasks_, stall());
  Client client(executor(), {.ca_pem = ca_.pem()});
  const auto response =
      run(client.send({.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/",
                       .connect_timeout = Millis(30)}));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().kind, ErrorKind::kRetryable);
  EXPECT_THAT(response.error().message, HasSubstr("/: no connection within 30 ms"));
}

TEST_F(TlsTest, FindsTheSystemsBundle) {
  const std::string path = system_ca_file();
  EXPECT_TRUE(path.empty() || path.starts_with("/etc/")) << path;
}

}  // namespace
}  // namespace spotkeeper::http
