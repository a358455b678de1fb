// SPDX-License-Identifier: Apache-2.0
// What a Stream holds; private to src/http.
#pragma once

#include <memory>

#include "http/client.h"
#include "http/transfer.h"

namespace spotkeeper::http {

struct Stream::Impl {
  explicit Impl(std::unique_ptr<Transfer> t) : transfer(std::move(t)) {}

  std::unique_ptr<Transfer> transfer;
};

}  // namespace spotkeeper::http
