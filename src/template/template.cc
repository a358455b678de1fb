// SPDX-License-Identifier: Apache-2.0
#include "template/template.h"

#include "template/check.h"
#include "template/evaluate.h"
#include "template/parser.h"

namespace spotkeeper::tmpl {

Result<Template> Template::parse(std::string text, std::string name) {
  const std::string kept_text = text;
  const std::string kept_name = name;
  auto tree = parse_tree(std::move(text), std::move(name));
  if (!tree) return std::unexpected(fault_error(kept_name, kept_text, tree.error()));
  return Template(std::make_shared<const Tree>(std::move(*tree)));
}

Result<Template> Template::parse(std::string text, std::string name, const Schema& schema) {
  auto made = parse(std::move(text), std::move(name));
  if (!made) return made;
  const Tree& tree = *made->tree_;
  if (auto fault = check_fields(tree, schema)) {
    return std::unexpected(fault_error(tree.name, tree.text, *fault));
  }
  return made;
}

Result<std::string> Template::render(const Value& data, Time now) const {
  auto text = evaluate(*tree_, data, now);
  if (!text) return std::unexpected(fault_error(tree_->name, tree_->text, text.error()));
  return std::move(*text);
}

}  // namespace spotkeeper::tmpl
