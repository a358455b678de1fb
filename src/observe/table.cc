// SPDX-License-Identifier: Apache-2.0
#include "observe/table.h"

#include <yaml-cpp/emitter.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <string_view>

namespace spotkeeper::observe {
namespace {

namespace json = boost::json;

constexpr size_t kLeastLastColumn = 14;

void indent(std::string& out, size_t depth) {
  out += '\n';
  out.append(depth * 2, ' ');
}

void write_pretty(std::string& out, const json::value& value, size_t depth) {
  if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : *object) {
      out += first ? "" : ",";
      first = false;
      indent(out, depth + 1);
      out += json::serialize(json::string(key)) + ": ";
      write_pretty(out, member, depth + 1);
    }
    indent(out, depth);
    out += '}';
  } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
    out += '[';
    bool first = true;
    for (const json::value& element : *array) {
      out += first ? "" : ",";
      first = false;
      indent(out, depth + 1);
      write_pretty(out, element, depth + 1);
    }
    indent(out, depth);
    out += ']';
  } else {
    out += json::serialize(value);
  }
}

// Nobody could take it for a number, a time, or one of YAML's words.
bool is_plain(std::string_view text) {
  constexpr std::array<std::string_view, 10> kWords{"true", "false", "yes", "no", "on",
                                                    "off",  "null",  "y",   "n",  "nan"};
  if (text.empty() || std::isalpha(static_cast<unsigned char>(text[0])) == 0) return false;
  std::string lower;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) == 0 && std::string_view("._/-").find(c) == std::string_view::npos) {
      return false;
    }
    lower += static_cast<char>(std::tolower(byte));
  }
  return std::find(kWords.begin(), kWords.end(), lower) == kWords.end();
}

void write_text(YAML::Emitter& out, const json::string& text) {
  const std::string plain(text);
  if (is_plain(plain)) {
    out << plain;
  } else {
    out << YAML::DoubleQuoted << plain;
  }
}

void write_yaml(YAML::Emitter& out, const json::value& value) {
  if (const json::object* object = value.if_object()) {
    out << YAML::BeginMap;
    for (const auto& [key, member] : *object) {
      out << YAML::Key << std::string(key) << YAML::Value;
      write_yaml(out, member);
    }
    out << YAML::EndMap;
  } else if (const json::array* array = value.if_array()) {
    if (array->empty()) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const json::value& element : *array) write_yaml(out, element);
    out << YAML::EndSeq;
  } else if (const json::string* text = value.if_string()) {
    write_text(out, *text);
  } else if (value.is_null()) {
    out << YAML::Null;
  } else if (value.is_bool()) {
    out << value.get_bool();
  } else {
    out << json::serialize(value);
  }
}

}  // namespace

std::string format_table(const std::vector<Cells>& rows, int width) {
  std::vector<size_t> widths;
  for (const Cells& cells : rows) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  }
  if (widths.empty()) return {};
  widths.back() = 0;
  size_t before_last = 0;
  for (size_t i = 0; i + 1 < widths.size(); ++i) before_last += widths[i] + 2;
  const size_t room = width <= 0 ? std::string::npos
                                 : std::max(kLeastLastColumn,
                                            static_cast<size_t>(width) -
                                                std::min(static_cast<size_t>(width), before_last));
  std::string text;
  for (const Cells& cells : rows) {
    std::string line;
    for (size_t i = 0; i + 1 < widths.size(); ++i) {
      const std::string cell = i < cells.size() ? cells[i] : std::string();
      line += cell + std::string(widths[i] - cell.size() + 2, ' ');
    }
    const std::string last = cells.size() == widths.size() ? cells.back() : std::string();
    bool first = true;
    for (const std::string& part : wrap(last, room)) {
      if (!first) line = std::string(before_last, ' ');
      first = false;
      line += part;
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
  }
  return text;
}

size_t widest_line(const std::string& text) {
  size_t widest = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    widest = std::max(widest, end - begin);
    begin = end + 1;
  }
  return widest;
}

std::vector<std::string> wrap(const std::string& text, size_t width) {
  std::vector<std::string> lines;
  std::string line;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    begin = end + 1;
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      lines.push_back(std::move(line));
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  lines.push_back(std::move(line));
  return lines;
}

std::string pretty_json(const json::value& value) {
  std::string out;
  write_pretty(out, value, 0);
  return out + "\n";
}

std::string yaml(const json::value& value) {
  YAML::Emitter out;
  write_yaml(out, value);
  return std::string(out.c_str(), out.size()) + "\n";
}

}  // namespace spotkeeper::observe
