// SPDX-License-Identifier: Apache-2.0
#include "app/identity.h"

#include <utility>

#include "async/timing.h"
#include "base/backoff.h"

namespace spotkeeper::app {
namespace {

constexpr const char* kDocument = "/latest/dynamic/instance-identity/document";

}  // namespace

// False when there was no answer. What is not there (404) stays empty.
Task<bool> Identity::take(std::string& field, std::string path) {
  const Result<std::optional<std::string>> body =
      co_await imds_.get("/latest/meta-data/" + std::move(path));
  if (!body) co_return false;
  if (*body && !(*body)->empty()) field = **body;
  co_return true;
}

Task<bool> Identity::look() {
  const Result<std::optional<std::string>> document = co_await imds_.get(kDocument);
  if (!document) co_return false;
  bool all = true;
  if (!*document || !tell::take_identity(instance_, **document)) {
    all = co_await take(instance_.instance_id, "instance-id") && all;
    all = co_await take(instance_.instance_type, "instance-type") && all;
    all = co_await take(instance_.local_ip, "local-ipv4") && all;
    all = co_await take(instance_.availability_zone, "placement/availability-zone") && all;
    instance_.region = tell::region_of(instance_.availability_zone);
  }
  all = co_await take(instance_.life_cycle, "instance-life-cycle") && all;
  all = co_await take(instance_.local_hostname, "local-hostname") && all;
  all = co_await take(instance_.public_hostname, "public-hostname") && all;
  all = co_await take(instance_.public_ip, "public-ipv4") && all;
  co_return all;
}

Task<> Identity::run() {
  for (int attempt = 1;; ++attempt) {
    known_ = co_await look();
    if (known_) co_return;
    const Backoff backoff{
        .attempt = attempt, .base = Millis(1'000), .cap = Millis(60'000), .jitter = random_unit()};
    co_await sleep_for(backoff_delay(backoff));
  }
}

}  // namespace spotkeeper::app
