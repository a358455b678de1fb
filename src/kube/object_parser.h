// SPDX-License-Identifier: Apache-2.0
// Reads JSON of the API server, one object after the other: watch events and answers. See
// PrunedStack for what is left out. Keeps its memory from one to the next.
#pragma once

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <string_view>

namespace spotkeeper::kube {

class ObjectParser {
 public:
  ObjectParser();
  ~ObjectParser();
  ObjectParser(const ObjectParser&) = delete;
  ObjectParser& operator=(const ObjectParser&) = delete;

  // Nothing when it is not JSON. The value's memory comes from `memory`, which must outlive it.
  std::optional<boost::json::value> parse(std::string_view text,
                                          boost::json::storage_ptr memory = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spotkeeper::kube
