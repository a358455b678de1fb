// SPDX-License-Identifier: Apache-2.0
// The bearer token of an Access. A token file is read again when it was replaced (service account
// tokens rotate about every hour), every 60 s, and when the server refused the token. Owned by Api.
// Failure: while the file cannot be read the last token is kept; without one the Error is kDenied
// and names the file, never its content.
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "base/strong.h"
#include "kube/files.h"

namespace spotkeeper::kube {

class Token {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  // An empty `file` means that `fixed` is the token, which may be empty too: then none is sent.
  Token(std::string file, Secret fixed);

  Result<Secret> at(Steady now);

  // The server refused it: the next at() reads the file. False when there is no file to read.
  bool refused();

 private:
  Result<Secret> read() const;

  std::string file_;
  Secret token_;
  FileStamp read_stamp_;
  Steady read_at_;
  bool stale_ = true;
};

}  // namespace spotkeeper::kube
