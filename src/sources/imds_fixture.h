// SPDX-License-Identifier: Apache-2.0
// For tests of this folder: an instance metadata service of pages that are changed by hand, and a
// poller of one document of it that polls every 5 ms.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/server_fixture.h"
#include "sources/poller.h"

namespace spotkeeper::sources {

class ImdsFixture : public http::ServerFixture {
 protected:
  struct Page {
    int status = 404;
    std::string body;
  };

  void SetUp() override {
    serve(&ImdsFixture::answer);
    aws::ImdsOptions options;
    options.base_url = url();
    options.tries = 1;
    imds_ = std::make_unique<aws::ImdsClient>(client_, options, clock_);
  }

  void poll(std::unique_ptr<Document> document) {
    page_ = std::string("/latest/meta-data/") + document->name();
    poller_ = std::make_unique<Poller>(
        std::move(document), *imds_, clock_, counters_,
        Poller::Options{.period = Millis(5), .longest_pause = Millis(20)},
        Poller::Hooks{
            .failure = [this](const Error& error, int) { failures_.push_back(error.message); },
            .recovery = [this](int failures) { recovered_after_ = failures; }});
    tasks_.spawn("poller", poller_->run());
  }

  static Task<http::ServerResponse> answer(ImdsFixture* test, http::ServerRequest request) {
    http::ServerResponse response;
    if (request.method == "PUT") {
      response.body = "token";
      response.headers.push_back({"X-aws-ec2-metadata-token-ttl-seconds", "21600"});
      co_return response;
    }
    ++test->asked_[request.path];
    const Page& page = test->pages_[request.path];
    response.status = page.status;
    response.body = page.body;
    if (!test->date_.empty()) response.headers.push_back({"Date", test->date_});
    co_return response;
  }

  // The document's page, from now on.
  void say(std::string body, int status = 200) { pages_[page_] = {status, std::move(body)}; }
  void say_nothing() { pages_[page_] = {}; }

  void poll_times(int times) {
    const int until = asked_[page_] + times;
    run_until([&] { return asked_[page_] >= until; });
  }

  std::function<void(core::Notice)> hear() {
    return [this](core::Notice notice) { notices_.push_back(std::move(notice)); };
  }
  std::function<void(core::NoticeId)> hear_over() {
    return [this](core::NoticeId id) { over_.push_back(std::move(id.value)); };
  }

  SteadyClock clock_;
  Counters counters_;
  std::unique_ptr<aws::ImdsClient> imds_;
  std::unique_ptr<Poller> poller_;
  std::string page_;  // the document's
  std::map<std::string, Page> pages_;
  std::map<std::string, int> asked_;
  std::vector<core::Notice> notices_;
  std::vector<std::string> over_;
  std::vector<std::string> failures_;
  int recovered_after_ = 0;
  std::string date_;  // header of every answer but those with tokens; empty: none
};

}  // namespace spotkeeper::sources
