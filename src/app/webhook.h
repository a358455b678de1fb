// SPDX-License-Identifier: Apache-2.0
// Posts what is said of a notice to the operator's webhook. Never holds up a drain: a post is a
// task of its own, tried again with growing pauses, and given up after a minute. What is secret
// (the URL's path, the headers) is in no message. The options, clock, counters and log must
// outlive it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <optional>
#include <string>

#include "async/task.h"
#include "base/counters.h"
#include "config/telling.h"
#include "http/message.h"
#include "observe/log.h"
#include "tell/message.h"

namespace spotkeeper::app {

class Webhook {
 public:
  Webhook(boost::asio::any_io_executor executor, const config::Telling& options, const Clock& clock,
          Counters& counters, observe::Log& log);

  bool wanted() const { return !options_.webhook_url.empty(); }

  // Reads the template and tries it, where one is wanted: an Error names what is wrong and where.
  Result<void> prepare();

  Task<> post(tell::Message message);

  // The body for this message; one that cannot be made by the operator's template is NTH's.
  std::string body_of(const tell::Message& message);

 private:
  Result<tmpl::Template> read_template() const;
  Result<std::string> make_body(const tell::Message& message);
  http::Request request_with(std::string body) const;

  boost::asio::any_io_executor executor_;
  const config::Telling& options_;
  const Clock& clock_;
  Counters& counters_;
  observe::Log& log_;
  std::optional<tmpl::Template> template_;  // the last that could be read
};

// Whether the same post may succeed later, by the status of its answer.
bool may_try_again(int status);

}  // namespace spotkeeper::app
