// SPDX-License-Identifier: Apache-2.0
// Reads the JSON of a list while it arrives and hands over one object at a time, so that a page of
// thousands of objects never is in memory as a whole: what is held is one object. Owned by whoever
// reads the answer; no I/O.
//
// Failure: an object over the limit is left out and told. Anything that is no JSON list is an Error
// (kRetryable: something between us and the API server has answered), after which the parser is of
// no more use; the objects before it were handed over.
// Source: Kubernetes API concepts, "Retrieving large results sets in chunks"; meta/v1 ListMeta.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace spotkeeper::kube {

// What a list says beside its objects.
struct ListHead {
  std::string version;  // metadata.resourceVersion
  std::string next;     // metadata.continue: the token of the next page; empty after the last
};

class ListParser {
 public:
  struct Sink {
    std::function<void(const boost::json::value&)> object;
    std::function<void(const Error&)> left_out;
  };

  // `largest`: of one object, and of everything beside the objects; counted in characters of keys
  // and values.
  ListParser(size_t largest, Sink sink);
  ~ListParser();
  ListParser(const ListParser&) = delete;
  ListParser& operator=(const ListParser&) = delete;

  // The next piece of the body, cut anywhere.
  Result<void> add(std::string_view piece);

  // The body has ended.
  Result<ListHead> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spotkeeper::kube
