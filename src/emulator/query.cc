// SPDX-License-Identifier: Apache-2.0
#include "emulator/query.h"

#include <charconv>
#include <vector>

namespace spotkeeper::emulator {
namespace {

std::vector<std::string> segments(std::string_view path) {
  std::vector<std::string> found;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) found.push_back(url_decode(path.substr(0, slash)));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return found;
}

}  // namespace

std::string Query::parameter(const std::string& key) const {
  const auto found = parameters.find(key);
  return found == parameters.end() ? std::string() : found->second;
}

bool Query::flag(const std::string& key) const {
  const std::string value = parameter(key);
  return value == "1" || value == "true";
}

std::string url_decode(std::string_view text, bool form) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 3], code, 16).ptr == &text[i + 3]) {
      decoded += static_cast<char>(code);
      i += 2;
    } else {
      decoded += form && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::map<std::string, std::string> parse_parameters(std::string_view query) {
  std::map<std::string, std::string> found;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    if (!pair.empty())
      found.emplace(url_decode(pair.substr(0, equals), true), url_decode(value, true));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return found;
}

std::optional<Query> parse_query(const http::ServerRequest& request) {
  const std::vector<std::string> parts = segments(request.path);
  Query query;
  size_t at = 0;
  if (parts.size() >= 2 && parts[0] == "api") {
    query.version = parts[1];
    at = 2;
  } else if (parts.size() >= 3 && parts[0] == "apis") {
    query.group = parts[1];
    query.version = parts[2];
    at = 3;
  } else {
    return std::nullopt;
  }
  const auto left = [&] { return parts.size() - at; };
  // /namespaces/NAME/status is a subresource; anything else after a namespace is inside it.
  const bool inside = left() >= 3 && parts[at] == "namespaces" && parts[at + 2] != "status" &&
                      parts[at + 2] != "finalize";
  if (inside) {
    query.ns = parts[at + 1];
    at += 2;
  }
  if (left() > 0) query.resource = parts[at];
  if (left() > 1) query.name = parts[at + 1];
  if (left() > 2) query.subresource = parts[at + 2];
  if (left() > 3) return std::nullopt;
  query.parameters = parse_parameters(request.query);
  return query;
}

}  // namespace spotkeeper::emulator
