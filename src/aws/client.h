// SPDX-License-Identifier: Apache-2.0
// One AWS account and region: signs a call, sends it, tries again what may succeed, and turns every
// refusal into an Error. Owned by the app, one for each region; it must outlive its calls, and what
// it is given must outlive it.
//
// Tried again, within the call's `at_most` and `tries`, after a pause with full jitter: the network
// (for calls that may be repeated), 5xx, and throttling by any of its names. All calls to a service
// share a budget of retries (as botocore's standard mode): while a service is down little is added
// to its load. What the answer asks for (Retry-After, x-amz-retry-after) is waited for, as long as
// it fits; else the call ends, with Error::retry_after_s. Once each, without a pause: a signature
// refused because our clock is wrong (the answer's Date is learnt), and credentials that have
// expired (they are had anew).
//
// Kinds of errors: throttling, 5xx and the network kRetryable; missing rights and bad signatures
// kDenied; what does not exist (any ...NotFound) kGone; the rest kPermanent. Error::reason is AWS's
// code ("ClusterNotFoundException"), Error::status the HTTP status. Its message names service,
// action, object, code, AWS's message and request id, in one line, and never a secret.
// Source: the SDKs' reference guide, "Retry behavior" (standard mode); botocore's retries.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "async/task.h"
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/server_time.h"
#include "aws/service.h"
#include "aws/xml.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/strong.h"
#include "http/client.h"

namespace spotkeeper::aws {

// How long a call may take, all its tries together, unless the caller says otherwise.
inline constexpr Millis kCallTime{20'000};

// Parameters of a query call, in the order they are sent.
using Form = std::vector<std::pair<std::string, std::string>>;
using SecretForm = std::vector<std::pair<std::string, Secret>>;

struct Call {
  const Service* service = nullptr;  // &kEcs; names its protocol
  std::string action;                // "DescribeTasks"
  boost::json::object body = {};     // of a JSON service
  SecretForm secret_form = {};       // more of it, which no message may show
  Form form = {};                    // of a query service, without Action and Version
  std::string object = {};           // for messages only: "cluster/prod"
  Millis at_most = kCallTime;
  // Of each try, where it is not the client's attempt_timeout: a long poll. A retry that has not so
  // much time left within at_most is not begun.
  Millis attempt_time{0};
  bool repeatable = true;  // false: not sent again when the network leaves open whether it arrived
  bool is_signed = true;   // false: AssumeRoleWithWebIdentity, which proves itself otherwise
  size_t max_body = size_t{4} * 1024 * 1024;  // a larger answer is an error (kPermanent)
};

struct ClientOptions {
  std::string region;
  EndpointOptions endpoints = {};
  int tries = 3;                   // of each call, 1 and more
  Millis attempt_timeout{10'000};  // of each try, and never past the call's at_most
  Millis first_pause{50};          // before the first retry at most; doubled for each further one
  Millis first_throttled_pause{1'000};  // the same after an answer that says "throttled"
  Millis longest_pause{20'000};
};

class Client {
 public:
  Client(http::Client& http, CredentialSource& credentials, const Clock& clock,
         ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // A call of a JSON service: the answer's object (empty when its body is).
  Task<Result<boost::json::value>> json(Call call);

  // A call of a query service: the element <ActionResult> of its answer; of EC2 see read_ec2().
  Task<Result<Xml>> query(Call call);

  // Told after every exchange; `status` is 0 when there was no answer. For counters.
  std::function<void(const Service& service, const std::string& action, int status)> on_answer;

  // Told of each good answer to a signed call that bears a Date; it may have waited long.
  std::function<void(const ServerTime& time)> on_time;

  // By how much our clock is behind AWS's, as learnt from its last refusal; negative: ahead.
  Millis clock_behind() const;
  // Our clock was set right: what was learnt is forgotten.
  void clock_corrected();

  const std::string& region() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spotkeeper::aws
