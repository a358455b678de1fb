// SPDX-License-Identifier: Apache-2.0
// One request on its way; private to src/http. Lives on the awaiting coroutine's frame (or in a
// Stream) and is in curl's hands exactly as long as it lives: leaving the frame ends the request.
// Every failure is an Error value; the coroutines throw only on cancellation.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.h"
#include "async/timing.h"
#include "http/client.h"
#include "http/curl_loop.h"
#include "http/curl_options.h"
#include "http/message.h"
#include "http/target.h"

namespace spotkeeper::http {

// What all requests of a Client share; kept alive by each of them.
struct ClientSettings {
  ClientOptions options;
  std::string system_ca;  // system_ca_file()
};

class Transfer final : public CurlLoop::Completion {
 public:
  // kWhole: the body is collected, up to Request::max_body. kPieces: it is taken by next_piece().
  enum class Body { kWhole, kPieces };

  Transfer(std::shared_ptr<CurlLoop> loop, std::shared_ptr<const ClientSettings> settings,
           Request request, Body body);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Starts the request; returns when the answer's head is there.
  Task<Result<void>> head();

  // After head(), kWhole: returns when the body is complete. Counts the time since head() began.
  Task<Result<void>> whole_body();

  // After head(), kPieces: see Stream::read.
  Task<Result<std::string>> next_piece(Millis at_most, std::string spare);

  Response& response() { return response_; }

 private:
  void completed(CURLcode code) override;
  static size_t on_header(char* data, size_t one, size_t size, void* self);
  static size_t on_body(char* data, size_t one, size_t size, void* self);
  bool take_header_line(std::string_view line);
  bool head_ended();

  Result<void> start();
  std::unexpected<Error> failed() const;
  std::unexpected<Error> timed_out(const char* what, Millis limit) const;
  Millis time_left() const;

  const std::shared_ptr<CurlLoop> loop_;
  const std::shared_ptr<const ClientSettings> settings_;
  const Request request_;
  const Body mode_;
  Target target_;
  CurlLoop::Handle handle_;
  List headers_;
  List connect_to_;
  std::array<char, CURL_ERROR_SIZE> detail_{};
  std::chrono::steady_clock::time_point started_;
  bool added_ = false;

  Event changed_;  // set whenever something below has changed
  Response response_;
  size_t head_size_ = 0;
  bool head_done_ = false;
  bool paused_ = false;
  std::optional<CURLcode> result_;
  std::string refusal_;  // why we ended it ourselves (a limit), or empty
};

}  // namespace spotkeeper::http
