// SPDX-License-Identifier: Apache-2.0
#include "http/transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "http/curl_error.h"

namespace spotkeeper::http {
namespace {

constexpr size_t kMaxHead = 64uz * 1024;
constexpr size_t kMaxWaiting = 1024uz * 1024;  // of a body read in pieces
constexpr size_t kMostSpare = 64uz * 1024;     // kept of a piece's memory for the next

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

Transfer::Transfer(std::shared_ptr<CurlLoop> loop, std::shared_ptr<const ClientSettings> settings,
                   Request request, Body body)
    : loop_(std::move(loop)),
      settings_(std::move(settings)),
      request_(std::move(request)),
      mode_(body),
      changed_(loop_->executor()) {}

Transfer::~Transfer() {
  if (added_) loop_->remove(handle_.easy);
  if (handle_.easy != nullptr) loop_->give_back(handle_);
}

Result<void> Transfer::start() {
  started_ = std::chrono::steady_clock::now();
  auto target = parse_target(request_);
  if (!target) return std::unexpected(target.error());
  target_ = std::move(*target);
  const ClientOptions& options = settings_->options;
  auto headers = header_list(request_, target_, options);
  if (!headers) return std::unexpected(headers.error());
  headers_ = std::move(*headers);

  handle_ = loop_->take();
  CURL* easy = handle_.easy;
  set_request(easy, request_, target_, options);
  if (target_.scheme == "https") set_tls(easy, options, settings_->system_ca);
  set_proxy(easy, target_, options, settings_->system_ca);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  if (is_renamed(target_, options)) {
    append(connect_to_, fmt::format("{}:{}:{}:{}", options.server_name, target_.port, target_.host,
                                    target_.port));
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, connect_to_.get());
  }
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail_.data());
  curl_easy_setopt(easy, CURLOPT_PRIVATE, static_cast<CurlLoop::Completion*>(this));
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  loop_->add(easy);
  added_ = true;
  return {};
}

Task<Result<void>> Transfer::head() {
  if (auto started = start(); !started) co_return started;
  while (!head_done_ && !result_) {
    if (co_await changed_.wait_real(time_left())) continue;
    co_return timed_out("no answer", request_.timeout);
  }
  // A body that has failed already is the reader's to find out, after its bytes.
  if (!head_done_) co_return failed();
  co_return Result<void>();
}

Task<Result<void>> Transfer::whole_body() {
  while (!result_) {
    if (co_await changed_.wait_real(time_left())) continue;
    co_return timed_out("the answer was not complete", request_.timeout);
  }
  if (*result_ != CURLE_OK) co_return failed();
  co_return Result<void>();
}

Task<Result<std::string>> Transfer::next_piece(Millis at_most, std::string spare) {
  while (response_.body.empty() && !result_) {
    const Millis limit = at_most > Millis(0) ? at_most : Millis::max();
    if (co_await changed_.wait_real(limit)) continue;
    co_return timed_out("nothing came", at_most);
  }
  if (!response_.body.empty()) {
    spare.clear();
    if (spare.capacity() > kMostSpare) spare.shrink_to_fit();
    std::string piece = std::exchange(response_.body, std::move(spare));
    if (paused_ && !result_) {
      paused_ = false;
      curl_easy_pause(handle_.easy, CURLPAUSE_CONT);  // may call on_body at once
    }
    co_return piece;
  }
  if (*result_ != CURLE_OK) co_return failed();
  co_return std::string();
}

void Transfer::completed(CURLcode code) {
  result_ = code;
  changed_.set();
}

size_t Transfer::on_header(char* data, size_t /*one*/, size_t size, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  std::string_view line(data, size);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  transfer->head_size_ += size;
  if (transfer->head_size_ > kMaxHead) {
    transfer->refusal_ = fmt::format("the answer's head is larger than {} bytes", kMaxHead);
    return 0;  // anything but `size` ends the transfer
  }
  return transfer->take_header_line(line) ? size : 0;
}

bool Transfer::take_header_line(std::string_view line) {
  if (head_done_) return true;  // a trailer
  if (line.empty()) return head_ended();
  if (line.starts_with("HTTP/")) {  // of a final answer, or of a 1xx before it
    response_.headers.clear();
    return true;
  }
  if (line.starts_with(' ') || line.starts_with('\t')) {  // a folded line, long deprecated
    if (!response_.headers.empty()) {
      response_.headers.back().value.append(" ").append(trim(line));
    }
    return true;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  response_.headers.push_back(
      {std::string(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1)))});
  return true;
}

bool Transfer::head_ended() {
  long status = 0;
  curl_easy_getinfo(handle_.easy, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 100 && status < 200) return true;
  response_.status = static_cast<int>(status);
  head_done_ = true;
  changed_.set();
  if (request_.lasting) keep_buffers(handle_.easy);
  const std::string* length = find_header(response_.headers, "Content-Length");
  size_t announced = 0;
  if (mode_ == Body::kWhole && length != nullptr &&
      std::from_chars(length->data(), length->data() + length->size(), announced).ec ==
          std::errc()) {
    response_.body.reserve(std::min(announced, request_.max_body));
  }
  return true;
}

size_t Transfer::on_body(char* data, size_t /*one*/, size_t size, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  std::string& body = transfer->response_.body;
  if (transfer->mode_ == Body::kWhole) {
    if (body.size() + size > transfer->request_.max_body) {
      transfer->refusal_ =
          fmt::format("the body is larger than {} bytes", transfer->request_.max_body);
      return 0;
    }
    body.append(data, size);
    return size;
  }
  if (body.size() >= kMaxWaiting) {
    transfer->paused_ = true;
    return CURL_WRITEFUNC_PAUSE;  // curl keeps these bytes and stops reading the socket
  }
  body.append(data, size);
  transfer->changed_.set();
  return size;
}

std::unexpected<Error> Transfer::failed() const {
  if (!refusal_.empty()) return permanent(target_.label + ": " + refusal_);
  // Connecting (name, TCP, TLS) is the one thing that we let curl limit.
  if (*result_ == CURLE_OPERATION_TIMEDOUT) {
    return timed_out(std::string_view(detail_.data()).starts_with("Resolving")
                         ? "the host's name was not resolved"
                         : "no connection",
                     request_.connect_timeout);
  }
  long os_error = 0;
  curl_easy_getinfo(handle_.easy, CURLINFO_OS_ERRNO, &os_error);
  return std::unexpected(to_error(*result_, target_.label, detail_.data(), os_error));
}

std::unexpected<Error> Transfer::timed_out(const char* what, Millis limit) const {
  return retryable(fmt::format("{}: {} within {}", target_.label, what, format_duration(limit)));
}

Millis Transfer::time_left() const {
  if (request_.timeout <= Millis(0)) return Millis::max();
  const auto spent = std::chrono::steady_clock::now() - started_;
  return std::chrono::ceil<Millis>(request_.timeout - spent);
}

}  // namespace spotkeeper::http
