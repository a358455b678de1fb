// SPDX-License-Identifier: Apache-2.0
// Tables for people, and JSON documents in the shape that was asked for. Pure.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

namespace spotkeeper::observe {

using Cells = std::vector<std::string>;

// Columns two blanks apart, each line ended by a newline; the first row is the heading. With a
// `width` the last column is wrapped below itself; 0: lines are as long as they are.
std::string format_table(const std::vector<Cells>& rows, int width = 0);

// The longest line's bytes.
size_t widest_line(const std::string& text);

// Lines of at most `width` bytes, broken at blanks; a longer word stays whole.
std::vector<std::string> wrap(const std::string& text, size_t width);

// Indented JSON, ended by a newline.
std::string pretty_json(const boost::json::value& value);

// The same as YAML.
std::string yaml(const boost::json::value& value);

}  // namespace spotkeeper::observe
