// SPDX-License-Identifier: Apache-2.0
// Reading fields of a client's JSON without exceptions: a path of object keys, and a default for
// whatever is missing or of another type. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spotkeeper::emulator {

namespace json = boost::json;

using Path = std::initializer_list<std::string_view>;

// The value at the end of the path; nullptr when there is none, or null.
const json::value* find(const json::value& root, Path path);
const json::object* find_object(const json::value& root, Path path);
const json::array* find_array(const json::value& root, Path path);

std::string text(const json::value& value);  // empty when it is no string
std::string text_at(const json::value& root, Path path);
bool flag_at(const json::value& root, Path path);
int64_t number_at(const json::value& root, Path path, int64_t otherwise = 0);
std::optional<int64_t> maybe_number_at(const json::value& root, Path path);
std::vector<std::string> texts_at(const json::value& root, Path path);

// object[key] as an object; made when it is not there.
json::object& child(json::object& object, std::string_view key);

}  // namespace spotkeeper::emulator
