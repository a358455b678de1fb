// SPDX-License-Identifier: Apache-2.0
// Reading a collection once, page by page, each object handed over as it arrives. follow() begins
// with it; list_all() is for those who want one look. A page's token that has expired (410) begins
// the list again, once and without pages. Errors as in kube/api.h; the Api must outlive the call.
// Source: Kubernetes API concepts, "Retrieving large results sets in chunks".
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "kube/api.h"

namespace spotkeeper::kube {

struct Listing {
  std::string path;                 // "/api/v1/pods"
  std::string field_selector = {};  // "spec.nodeName=web", not encoded
  std::string label_selector = {};
  std::string resource;  // for messages and counters: "pods"
  int page = 500;        // objects in one page of a list
  bool urgent = false;   // does not wait out the pause of a server under load (Call::urgent)
};

// The whole collection at "/api/v1/pods": the path's last part is its resource.
Listing listing_of(std::string path);

// … of one namespace: api "/api/v1" or "/apis/apps/v1".
Listing listing_in(const std::string& ns, const std::string& api, const std::string& resource);

Listing pods_on(const std::string& node);

struct ListLimits {
  size_t max_object = size_t{2} * 1024 * 1024;  // a larger one is left out
  Millis silence{10'000};                       // no byte (no answer) for so long: an Error
  Millis page_time{60'000};                     // a page takes longer from its head on: an Error
};

struct ListSink {
  std::function<void()> begin;                            // what came before counts no more
  std::function<void(const boost::json::value&)> object;  // in no order
  std::function<void(const Error&)> left_out;             // an object over the limit
};

// A call to the collection with its selectors, and `parameters` behind them.
Call collection_call(const Listing& listing, const char* verb, const std::string& parameters);

// All of it; its resourceVersion.
Task<Result<std::string>> read_list(Api& api, Listing listing, ListSink sink,
                                    ListLimits limits = {});

// All of it as records. Objects that cannot be decoded are left out and told to `left_out`.
template <class T>
Task<Result<std::vector<T>>> list_all(Api& api, Listing listing,
                                      Result<T> (*decode)(const boost::json::value&),
                                      std::function<void(const Error&)> left_out = {},
                                      ListLimits limits = {}) {
  std::vector<T> records;
  const auto tell = [&left_out](const Error& error) {
    if (left_out) left_out(error);
  };
  ListSink sink{.begin = [&records] { records.clear(); },
                .object =
                    [&records, &tell, decode](const boost::json::value& object) {
                      Result<T> record = decode(object);
                      if (!record) return tell(record.error());
                      records.push_back(std::move(*record));
                    },
                .left_out = tell};
  const Result<std::string> version =
      co_await read_list(api, std::move(listing), std::move(sink), limits);
  if (!version) co_return std::unexpected(version.error());
  co_return records;
}

}  // namespace spotkeeper::kube
