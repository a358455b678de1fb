// SPDX-License-Identifier: Apache-2.0
// Reading fields of untrusted JSON without exceptions: a path of object keys, and a default for
// whatever is missing or of another type. Pure; nobody owns anything.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace spotkeeper {

using Path = std::initializer_list<std::string_view>;

// The value at the end of `path`; nullptr when there is none, or null.
const boost::json::value* find(const boost::json::value& root, Path path);

// The same, but only an object or an array.
const boost::json::object* find_object(const boost::json::value& root, Path path);
const boost::json::array* find_array(const boost::json::value& root, Path path);

std::string text_at(const boost::json::value& root, Path path);
bool flag_at(const boost::json::value& root, Path path);
std::optional<int64_t> maybe_number_at(const boost::json::value& root, Path path);
int64_t number_at(const boost::json::value& root, Path path, int64_t otherwise = 0);

}  // namespace spotkeeper
