// SPDX-License-Identifier: Apache-2.0
// Reading fields of untrusted JSON without exceptions: a path of object keys, and a default for
// whatever is missing or of another type. For this folder's decoders.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace spotkeeper::kube {

using Path = std::initializer_list<std::string_view>;

// The value at the end of `path`, or nullptr.
const boost::json::value* find(const boost::json::value& root, Path path);

// The same, but only an object or an array.
const boost::json::object* find_object(const boost::json::value& root, Path path);
const boost::json::array* find_array(const boost::json::value& root, Path path);

std::string text_at(const boost::json::value& root, Path path);
bool flag_at(const boost::json::value& root, Path path);
int64_t number_at(const boost::json::value& root, Path path, int64_t otherwise = 0);

}  // namespace spotkeeper::kube
