// SPDX-License-Identifier: Apache-2.0
#include "kube/token.h"

#include <algorithm>

namespace spotkeeper::kube {
namespace {

constexpr std::chrono::seconds kReadAgain{60};

std::unexpected<Error> denied(std::string message) {
  return std::unexpected(
      Error{.kind = ErrorKind::kDenied, .message = std::move(message), .reason = {}});
}

}  // namespace

Token::Token(std::string file, Secret fixed) : file_(std::move(file)), token_(std::move(fixed)) {}

bool Token::refused() {
  stale_ = true;
  return !file_.empty();
}

Result<Secret> Token::read() const {
  Result<std::string> content = read_file(file_);
  if (!content) return denied("token file " + content.error().message);
  const size_t first = content->find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return denied("token file " + file_ + " is empty");
  const size_t last = content->find_last_not_of(" \t\r\n");
  std::string token = content->substr(first, last - first + 1);
  // It becomes a header: nothing in it may end the line.
  const bool printable = std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; });
  if (!printable) return denied("token file " + file_ + " does not hold a token");
  return Secret(std::move(token));
}

Result<Secret> Token::at(Steady now) {
  if (file_.empty()) return token_;
  const FileStamp current = file_stamp(file_);
  if (!stale_ && current == read_stamp_ && now - read_at_ < kReadAgain) return token_;
  Result<Secret> fresh = read();
  if (!fresh && token_.empty()) return fresh;
  if (fresh) {
    token_ = std::move(*fresh);
    read_stamp_ = current;
    read_at_ = now;
    stale_ = false;
  }
  return token_;
}

}  // namespace spotkeeper::kube
