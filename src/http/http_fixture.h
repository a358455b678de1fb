// SPDX-License-Identifier: Apache-2.0
// Tests only: the event loop with a client, and small helpers that requests need.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "async/loop_fixture.h"
#include "http/client.h"

namespace spotkeeper::http {

class HttpFixture : public LoopFixture {
 protected:
  Result<Response> send(Request request) { return run(client_.send(std::move(request))); }
  Result<Response> get(std::string url) { return send({.url = std::move(url)}); }

  Client client_{executor(), {}};
};

// Sets or removes an environment variable for the life of the object.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    assign(value);
  }
  ~ScopedVariable() { assign(old_ ? old_->c_str() : nullptr); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  void assign(const char* value) const {
    if (value != nullptr) {
      ::setenv(name_, value, 1);
    } else {
      ::unsetenv(name_);
    }
  }

  const char* name_;
  std::optional<std::string> old_;
};

inline size_t open_descriptors() {
  return static_cast<size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

}  // namespace spotkeeper::http
