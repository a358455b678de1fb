// SPDX-License-Identifier: Apache-2.0
#include "http/stream.h"

#include <utility>

namespace spotkeeper::http {

Stream::Stream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Stream::~Stream() = default;

int Stream::status() const {
  return impl_->transfer->response().status;
}

const Headers& Stream::headers() const {
  return impl_->transfer->response().headers;
}

Task<Result<std::string>> Stream::read(Millis at_most, std::string spare) {
  return impl_->transfer->next_piece(at_most, std::move(spare));
}

}  // namespace spotkeeper::http
