// SPDX-License-Identifier: Apache-2.0
#include "kube/kubeconfig_section.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "kube/files.h"

namespace spotkeeper::kube {

std::unexpected<Error> Section::error(const std::string& key, const std::string& what) const {
  const std::string at = name.empty() || key.empty() ? name + key : name + "." + key;
  return permanent("kubeconfig " + file + ": " + (at.empty() ? what : at + ": " + what));
}

Section Section::at(const std::string& key) const {
  // const, because operator[] of a mutable node would add the key
  const YAML::Node& reader = node;
  return {.file = file,
          .name = name.empty() ? key : name + "." + key,
          .node = reader.IsMap() ? reader[key] : YAML::Node(YAML::NodeType::Undefined)};
}

bool Section::has(const std::string& key) const {
  const Section found = at(key);
  return found.node.IsDefined() && !found.node.IsNull();
}

Result<std::string> Section::text(const std::string& key) const {
  if (!has(key)) return std::string();
  const YAML::Node found = at(key).node;
  if (!found.IsScalar()) return error(key, "is not a string");
  return found.Scalar();
}

Result<bool> Section::flag(const std::string& key) const {
  if (!has(key)) return false;
  const YAML::Node found = at(key).node;
  bool value = false;
  if (!found.IsScalar() || !YAML::convert<bool>::decode(found, value)) {
    return error(key, "is not true or false");
  }
  return value;
}

Result<std::vector<std::string>> Section::texts(const std::string& key) const {
  std::vector<std::string> values;
  if (!has(key)) return values;
  const YAML::Node found = at(key).node;
  if (!found.IsSequence()) return error(key, "is not a list");
  for (const YAML::Node& item : found) {
    if (!item.IsScalar()) return error(key, "is not a list of strings");
    values.push_back(item.Scalar());
  }
  return values;
}

Result<std::vector<Section>> Section::maps(const std::string& key) const {
  std::vector<Section> found;
  if (!has(key)) return found;
  const Section list = at(key);
  if (!list.node.IsSequence()) return error(key, "is not a list");
  for (const YAML::Node& item : list.node) {
    const std::string index = "[" + std::to_string(found.size()) + "]";
    if (!item.IsMap()) return error(key + index, "is not a map");
    found.push_back({.file = file, .name = list.name + index, .node = item});
  }
  return found;
}

Result<std::string> Section::path(const std::string& key) const {
  Result<std::string> value = text(key);
  if (!value || value->empty()) return value;
  return (std::filesystem::path(file).parent_path() / *value).string();
}

Result<Pem> Section::pem(const std::string& key) const {
  const Result<std::string> data = text(key + "-data");
  if (!data) return std::unexpected(data.error());
  const Result<std::string> from = path(key);
  if (!from) return std::unexpected(from.error());
  const std::string used = data->empty() ? key : key + "-data";
  Pem pem;
  if (!data->empty()) {
    std::optional<std::string> plain = decode_base64(*data);
    if (!plain) return error(used, "is not base64");
    pem.text = std::move(*plain);
  } else if (!from->empty()) {
    Result<std::string> content = read_file(*from);
    if (!content) return error(used, content.error().message);
    pem = {.text = std::move(*content), .file = *from};
    if (pem.text.empty()) return error(used, *from + " is empty");
  }
  if (!pem.text.empty() && pem.text.find("-----BEGIN ") == std::string::npos) {
    return error(used, "is not PEM");
  }
  return pem;
}

}  // namespace spotkeeper::kube
