// SPDX-License-Identifier: Apache-2.0
#include "bootstrap/hcl.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <string_view>

namespace spotkeeper::bootstrap {
namespace {

namespace json = boost::json;

constexpr std::string_view kJson = "json:";

std::string indent(size_t depth) {
  return std::string(depth * 2, ' ');
}

std::string quoted(std::string_view text) {
  std::string out = json::serialize(json::value(text));
  for (size_t at = 0; (at = out.find("%{", at)) != std::string::npos; at += 3) out.insert(at, "%");
  return out;
}

bool is_reference(std::string_view text) {
  return text.starts_with("${") && text.find('}') == text.size() - 1;
}

bool is_identifier(std::string_view text) {
  return !text.empty() && (text[0] < '0' || text[0] > '9') && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string expression(const json::value& value, size_t depth) {
  if (const json::string* text = value.if_string()) {
    if (is_reference(*text)) return std::string(text->subview(2, text->size() - 3));
    return quoted(*text);
  }
  if (const json::array* array = value.if_array()) {
    const bool flat =
        std::ranges::none_of(*array, [](const json::value& each) { return each.is_structured(); });
    std::string out = "[";
    for (size_t i = 0; i < array->size(); ++i) {
      if (flat) {
        out += (i == 0 ? "" : ", ") + expression((*array)[i], depth);
      } else {
        out += "\n" + indent(depth + 1) + expression((*array)[i], depth + 1) + ",";
      }
    }
    return out + (flat ? "]" : "\n" + indent(depth) + "]");
  }
  if (const json::object* object = value.if_object()) {
    std::string out = "{\n";
    for (const auto& [key, member] : *object) {
      out += indent(depth + 1) + (is_identifier(key) ? std::string(key) : quoted(key)) + " = " +
             expression(member, depth + 1) + "\n";
    }
    return out + indent(depth) + "}";
  }
  return json::serialize(value);
}

std::string block_text(const HclBlock& block, size_t depth) {
  std::string out = indent(depth) + block.type;
  for (const std::string& label : block.labels) out += " " + quoted(label);
  out += " {\n";
  size_t widest = 0;
  const auto name_of = [](std::string_view name) {
    return std::string(name.starts_with(kJson) ? name.substr(kJson.size()) : name);
  };
  for (const auto& attribute : block.attributes) {
    widest = std::max(widest, name_of(attribute.key()).size());
  }
  for (const auto& [name, value] : block.attributes) {
    const std::string plain = name_of(name);
    const std::string text = expression(value, depth + 1);
    out += indent(depth + 1) + plain + std::string(widest - plain.size(), ' ') + " = " +
           (plain == std::string_view(name) ? text : "jsonencode(" + text + ")") + "\n";
  }
  for (const HclBlock& inner : block.blocks) out += block_text(inner, depth + 1);
  return out + indent(depth) + "}\n";
}

}  // namespace

std::string to_hcl(const std::vector<HclBlock>& blocks) {
  std::string out;
  for (const HclBlock& block : blocks) out += (out.empty() ? "" : "\n") + block_text(block, 0);
  return out;
}

}  // namespace spotkeeper::bootstrap
