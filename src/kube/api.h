// SPDX-License-Identifier: Apache-2.0
// One API server: sends a call, keeps its credentials and certificates fresh, and turns every
// answer that is not a success into an Error that says what to do now. Owned by the app, one for
// each cluster; it must outlive its calls. No retries here, the queues above decide when to try
// again; but for two things, each once: a credential that was refused (401) and can be had anew,
// and a connection that failed while the files of certificates had been replaced.
//
// Kinds of errors: 401 and 403 kDenied; 404, 410 and a UID that is another one now kGone; 429 (with
// `budget` when a PodDisruptionBudget refused), 409 Conflict, 408, 5xx and the network kRetryable;
// the rest kPermanent, and so is the 500 that says more than one budget covers the pod.
//
// A server under load (429 that is not about a budget, 503 with Retry-After) asks for a pause, of
// which one is kept for all calls: reads wait until it is over, on top of their time-out.
// Source: Kubernetes API conventions, "Response Status Kind"; the eviction subresource; API
// Priority and Fairness.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/client.h"
#include "kube/access.h"

namespace spotkeeper::kube {

struct Call {
  http::Method method = http::Method::kGet;
  std::string path;        // "/api/v1/nodes/web", already percent-encoded
  std::string query = {};  // "limit=500", without the question mark
  std::optional<boost::json::value> body = {};
  std::string content_type = "application/json";  // of the body
  Millis timeout{10'000};                         // of the exchange; in open() of the head only
  std::string verb = "get";                       // for messages and counters: "evict"
  std::string resource = {};                      // the same: "pods/eviction"
  std::string object = {};                        // for messages only: "default/web-1"
  size_t max_body = size_t{4} * 1024 * 1024;      // a larger answer is an error (kPermanent)
  bool urgent = false;                            // a read that waits for no pause; writes never do
  bool lasting = false;                           // a watch: see http::Request
};

class Api {
 public:
  Api(boost::asio::any_io_executor executor, Access access);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // One exchange; the answer's JSON (null when its body is empty).
  Task<Result<boost::json::value>> call(Call call);

  // A success whose body arrives bit by bit: a watch.
  Task<Result<std::unique_ptr<http::Stream>>> open(Call call);

  // Told after every exchange; `status` is 0 when there was no answer. For counters.
  std::function<void(const std::string& verb, const std::string& resource, int status)> on_answer;

  // From now on the credential of a plugin is renewed in `tasks`, which must end before this does,
  // while calls go on with the one that is still valid; `failed` is told of the first failure in a
  // row. Without it calls wait for a new one when the last has expired.
  void renew_in(TaskGroup& tasks, std::function<void(const Error&)> failed);

  // When the pause ends that the server asked for; in the past when there is none.
  std::chrono::steady_clock::time_point paused_until() const;

  const Access& access() const;
  boost::asio::any_io_executor executor() const;

 private:
  void answered(const Call& call, int status) const;

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The Error for an answer of that status (not 2xx). Pure; `what` is "evict pods/eviction ns/name".
// Its retry_after_s is what Retry-After or the Status says, at most a minute; a Retry-After that
// is a date counts from the answer's own Date.
Error api_error(const std::string& what, const http::Response& answer);

// "/api/v1/namespaces/NS/pods/NAME" with both names percent-encoded.
std::string pod_path(const std::string& ns, const std::string& name);

// Percent-encodes everything but unreserved characters.
std::string percent_encode(const std::string& text);

}  // namespace spotkeeper::kube
