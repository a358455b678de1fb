// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <unistd.h>

#include <utility>

#include "http/stream.h"
#include "http/transfer.h"

namespace spotkeeper::http {

std::string system_ca_file() {
  for (const char* path : {"/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Alpine
                           "/etc/pki/tls/certs/ca-bundle.crt",    // Amazon Linux, Fedora, RHEL
                           "/etc/ssl/cert.pem"}) {                // the rest
    if (::access(path, R_OK) == 0) return path;
  }
  return {};
}

struct Client::Impl {
  std::shared_ptr<CurlLoop> loop;
  std::shared_ptr<const ClientSettings> settings;
};

Client::Client(boost::asio::any_io_executor executor, ClientOptions options) {
  auto settings = std::make_shared<ClientSettings>();
  settings->system_ca = system_ca_file();
  settings->options = std::move(options);
  impl_ = std::make_unique<Impl>();
  impl_->loop = std::make_shared<CurlLoop>(std::move(executor));
  impl_->settings = std::move(settings);
}

Client::~Client() = default;

size_t Client::in_flight() const {
  return impl_->loop->in_flight();
}

Task<Result<Response>> Client::send(Request request) {
  Transfer transfer(impl_->loop, impl_->settings, std::move(request), Transfer::Body::kWhole);
  auto done = co_await transfer.head();
  if (done) done = co_await transfer.whole_body();
  if (!done) co_return std::unexpected(done.error());
  co_return std::move(transfer.response());
}

Task<Result<std::unique_ptr<Stream>>> Client::open(Request request) {
  auto transfer = std::make_unique<Transfer>(impl_->loop, impl_->settings, std::move(request),
                                             Transfer::Body::kPieces);
  const auto head = co_await transfer->head();
  if (!head) co_return std::unexpected(head.error());
  co_return std::make_unique<Stream>(std::make_unique<Stream::Impl>(std::move(transfer)));
}

}  // namespace spotkeeper::http
