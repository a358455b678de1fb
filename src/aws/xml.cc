// SPDX-License-Identifier: Apache-2.0
#include "aws/xml.h"

#include <expat.h>

#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>

namespace spotkeeper::aws {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

struct Reader {
  XML_Parser parser = nullptr;
  Xml root;                // holds the document's element
  std::vector<Xml*> open;  // root, and those whose end has not come
  size_t elements = 0;
  std::string_view dropped;
  size_t within_dropped = 0;      // so many elements are open from the dropped one on
  const char* problem = nullptr;  // why we stopped it

  void stop(const char* why) {
    problem = why;
    XML_StopParser(parser, XML_FALSE);
  }
};

Reader& reader(void* data) {
  return *static_cast<Reader*>(data);
}

void on_start(void* data, const char* name, const char** /*attributes*/) {
  Reader& state = reader(data);
  if (state.problem != nullptr) return;
  std::string_view local = name;
  local.remove_prefix(local.find(':') + 1);  // npos + 1 is 0
  if (state.within_dropped > 0 || (!state.dropped.empty() && local == state.dropped)) {
    ++state.within_dropped;
    return;
  }
  if (state.open.size() > Xml::kDeepest) return state.stop("nested too deeply");
  if (++state.elements > Xml::kMost) return state.stop("too many elements");
  // No pointer to a sibling is kept: only those on the way down are, and they do not move.
  std::vector<Xml>& siblings = state.open.back()->children;
  siblings.push_back({.name = std::string(local), .text = {}, .children = {}});
  state.open.push_back(&siblings.back());
}

void on_end(void* data, const char* /*name*/) {
  Reader& state = reader(data);
  if (state.problem != nullptr) return;
  if (state.within_dropped > 0) {
    --state.within_dropped;
    return;
  }
  std::string& text = state.open.back()->text;
  text.erase(0, std::min(text.find_first_not_of(kSpace), text.size()));
  text.erase(text.find_last_not_of(kSpace) + 1);
  state.open.pop_back();
}

void on_text(void* data, const char* text, int size) {
  Reader& state = reader(data);
  if (state.problem != nullptr || state.within_dropped > 0) return;
  state.open.back()->text.append(text, static_cast<size_t>(size));
}

void on_document_type(void* data, const char* /*name*/, const char* /*system*/,
                      const char* /*public_id*/, int /*internal*/) {
  reader(data).stop("a document type, which no answer has");
}

}  // namespace

const Xml& Xml::operator[](std::string_view child) const {
  static const Xml none;
  for (const Xml& each : children) {
    if (each.name == child) return each;
  }
  return none;
}

std::vector<const Xml*> Xml::members(std::string_view name_of_each) const {
  std::vector<const Xml*> found;
  for (const Xml& each : children) {
    if (each.name == name_of_each) found.push_back(&each);
  }
  return found;
}

Result<Xml> parse_xml(std::string_view text, std::string_view dropped) {
  const std::unique_ptr<std::remove_pointer_t<XML_Parser>, decltype(&XML_ParserFree)> parser(
      XML_ParserCreate("UTF-8"), &XML_ParserFree);
  Reader state;
  state.parser = parser.get();
  state.open = {&state.root};
  state.dropped = dropped;
  XML_SetUserData(parser.get(), &state);
  XML_SetElementHandler(parser.get(), on_start, on_end);
  XML_SetCharacterDataHandler(parser.get(), on_text);
  XML_SetStartDoctypeDeclHandler(parser.get(), on_document_type);
  const bool good = text.size() <= size_t{1} << 30 &&
                    XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), XML_TRUE) ==
                        XML_STATUS_OK;
  if (!good || state.problem != nullptr || state.root.children.empty()) {
    const char* why =
        state.problem != nullptr ? state.problem : XML_ErrorString(XML_GetErrorCode(parser.get()));
    return permanent("not XML as AWS writes it: " + std::string(why == nullptr ? "?" : why) +
                     " in line " + std::to_string(XML_GetCurrentLineNumber(parser.get())));
  }
  return std::move(state.root.children.front());
}

}  // namespace spotkeeper::aws
