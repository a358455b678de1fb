// SPDX-License-Identifier: Apache-2.0
// What requests to AWS are signed with, and what every source of it looks like. A source is owned
// by the app (aws/credential_chain.h puts them in order) and outlives its callers.
//
// Promises: the secret parts never appear in an Error, a log line or a formatter (they are Secret).
// Failures: kRetryable where the source may answer later (network, 5xx), kDenied where it refuses
// us, kPermanent for what a person must put right (a variable, a file, a body that is none).
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/strong.h"

namespace spotkeeper::aws {

struct Credentials {
  std::string access_key_id;  // no secret: it stands in every request's Authorization header
  Secret secret_access_key;
  Secret session_token;         // empty: long-lived keys
  std::optional<Time> expires;  // nullopt: never
  std::string source;           // for people: "web identity"

  bool operator==(const Credentials&) const = default;
};

class CredentialSource {
 public:
  virtual ~CredentialSource() = default;

  // Credentials that are good to sign with now.
  virtual Task<Result<Credentials>> get() = 0;

  // AWS refused these as expired or unknown: the next get() does not answer them from memory.
  virtual void refused(const Credentials& used) = 0;
};

// Always the same ones; for tests and for keys given in the environment.
class FixedCredentials final : public CredentialSource {
 public:
  explicit FixedCredentials(Credentials credentials) : credentials_(std::move(credentials)) {}
  Task<Result<Credentials>> get() override { co_return credentials_; }
  void refused(const Credentials&) override {}

 private:
  Credentials credentials_;
};

}  // namespace spotkeeper::aws
