// SPDX-License-Identifier: Apache-2.0
// What the emulator needs of JSON beyond base/json.h. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace spotkeeper::emulator {

namespace json = boost::json;

std::string text(const json::value& value);  // empty when it is no string
std::vector<std::string> texts_at(const json::value& root, Path path);

// object[key] as an object; made when it is not there.
json::object& child(json::object& object, std::string_view key);

}  // namespace spotkeeper::emulator
