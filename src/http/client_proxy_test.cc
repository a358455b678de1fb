// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <string>

#include "http/client.h"
#include "http/http_fixture.h"
#include "http/test_server.h"

namespace spotkeeper::http {
namespace {

using ::testing::HasSubstr;

// A proxy that notes the request line it gets and answers by itself.
class ProxyTest : public HttpFixture {
 protected:
  Result<Response> get_with(ClientOptions options, std::string url) {
    seen_.clear();
    Client client(executor(), std::move(options));
    return run(client.send({.url = std::move(url), .connect_timeout = Millis(100)}));
  }
  std::string address() const { return "http://127.0.0.1:" + std::to_string(proxy_.port()); }

  static Task<> note_line(Peer& peer, std::string* seen) {
    for (;;) {
      const std::string request = co_await peer.request();
      *seen = request.substr(0, request.find('\r'));
      const bool tunnel = request.starts_with("CONNECT");
      co_await peer.write(tunnel ? answer("", "403 Forbidden") : answer("by proxy"));
    }
  }

  // Whatever the machine that runs the tests has set.
  const ScopedVariable no_proxy_{"no_proxy", nullptr};
  const ScopedVariable upper_no_proxy_{"NO_PROXY", nullptr};
  const ScopedVariable all_{"all_proxy", nullptr};
  const ScopedVariable upper_all_{"ALL_PROXY", nullptr};
  const ScopedVariable http_{"http_proxy", nullptr};
  const ScopedVariable upper_http_{"HTTP_PROXY", nullptr};
  const ScopedVariable https_{"https_proxy", nullptr};
  const ScopedVariable upper_https_{"HTTPS_PROXY", nullptr};
  std::string seen_;
  ScriptServer proxy_{tasks_, [this](Peer& peer) { return note_line(peer, &seen_); }};
};

TEST_F(ProxyTest, TheEnvironmentsProxyIsUsed) {
  for (const char* variable : {"http_proxy", "HTTP_PROXY", "ALL_PROXY"}) {
    const ScopedVariable set(variable, address().c_str());
    const auto response = get_with({}, "http://service.test/a");
    ASSERT_TRUE(response.has_value()) << variable << ": " << response.error().message;
    EXPECT_EQ(response->body, "by proxy");
    EXPECT_EQ(seen_, "GET http://service.test/a HTTP/1.1");
  }
}

TEST_F(ProxyTest, HttpsGoesThroughATunnel) {
  const ScopedVariable set("HTTPS_PROXY", address().c_str());
  const auto response = get_with({}, "https://service.test/a");
  EXPECT_EQ(seen_, "CONNECT service.test:443 HTTP/1.1");
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().kind, ErrorKind::kRetryable);
  EXPECT_THAT(response.error().message, HasSubstr("403"));
}

TEST_F(ProxyTest, NoProxyIsObeyed) {
  const ScopedVariable set("http_proxy", address().c_str());
  const ScopedVariable no("NO_PROXY", "10.0.0.0/8,.svc,example.com");
  const std::string nowhere = std::string(64, 'a') + ".svc";  // fails without a name server
  EXPECT_FALSE(get_with({}, "http://" + nowhere + "/").has_value());
  EXPECT_EQ(seen_, "");
  EXPECT_TRUE(get_with({}, "http://service.test/").has_value());
}

TEST_F(ProxyTest, TheEnvironmentsProxyNeverServesLocalAddresses) {
  const ScopedVariable http("http_proxy", address().c_str());
  const ScopedVariable https("HTTPS_PROXY", address().c_str());
  ScriptServer direct(tasks_, always(answer("direct")));
  EXPECT_EQ(get_with({}, direct.url())->body, "direct");
  for (const char* url : {"http://169.254.169.254:9/", "http://169.254.170.2:9/",
                          "http://[fd00:ec2::254]:9/", "https://[::1]:1/"}) {
    // Whether anybody is there is not the point.
    [[maybe_unused]] const auto response = get_with({}, url);
    EXPECT_EQ(seen_, "") << url;
  }
  EXPECT_EQ(proxy_.connections(), 0);
}

TEST_F(ProxyTest, TheEnvironmentCanBeIgnored) {
  const ScopedVariable set("http_proxy", address().c_str());
  const std::string nowhere = "http://" + std::string(64, 'a') + ".test/";
  EXPECT_FALSE(get_with({.use_environment_proxy = false}, nowhere).has_value());
  EXPECT_EQ(proxy_.connections(), 0);
}

TEST_F(ProxyTest, AnExplicitProxyServesEverything) {
  const ScopedVariable no("NO_PROXY", "*");
  const ScopedVariable set("http_proxy", "http://127.0.0.1:1");
  const auto response = get_with({.proxy = address()}, "http://service.test/a");
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(seen_, "GET http://service.test/a HTTP/1.1");
  EXPECT_TRUE(get_with({.proxy = address()}, "http://127.0.0.1:1/").has_value());
}

}  // namespace
}  // namespace spotkeeper::http
