// SPDX-License-Identifier: Apache-2.0
// The part of Go's text/template language, with sprig's functions, that users of
// aws-node-termination-handler write webhook bodies in: docs/templates.md. A Template owns what it
// needs, is immutable, and renders any number of times; it reads nothing but its data and `now`.
// A hostile template ends with an error: limits.h.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "template/value.h"

namespace spotkeeper::tmpl {

struct Tree;

enum class FieldType { kAny, kText, kNumber, kBool, kTime, kTexts, kTextMap };

// The fields of the record that a template will be rendered with.
using Schema = std::map<std::string, FieldType, std::less<>>;

class Template {
 public:
  // Everything that depends on no data is refused here, in one line:
  //   NAME:LINE:COLUMN: what is wrong (what to use)
  // With a schema, so are fields it does not have, wherever the template asks the record itself.
  static Result<Template> parse(std::string text, std::string name);
  static Result<Template> parse(std::string text, std::string name, const Schema& schema);

  // `data` is what the dot and $ are. `now` is what the function now yields. What depends on data
  // (a text where a number is wanted, a limit) is an error of the same form.
  Result<std::string> render(const Value& data, Time now) const;

 private:
  explicit Template(std::shared_ptr<const Tree> tree) : tree_(std::move(tree)) {}
  std::shared_ptr<const Tree> tree_;
};

}  // namespace spotkeeper::tmpl
