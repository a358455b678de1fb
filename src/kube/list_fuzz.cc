// SPDX-License-Identifier: Apache-2.0
// A list's body, in pieces. The first four bytes are the sizes of the pieces, used in turn; the
// rest is the body. Whatever the pieces, the same objects are handed over, and they are those that
// a parser of whole documents finds.
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/fuzz.h"
#include "kube/list_parser.h"
#include "kube/test_prune.h"

namespace spotkeeper {
namespace {

namespace json = boost::json;

constexpr size_t kAll = size_t{1} << 30;  // a limit that nothing passes
constexpr size_t kLargest = 300;          // a limit that some pass
constexpr size_t kDeepest = 100;          // as list_parser.cc has it

struct Read {
  std::vector<std::string> objects;  // as JSON; "" where one was left out
  std::optional<std::string> version;
  std::optional<std::string> next;

  bool operator==(const Read&) const = default;
};

Read read(std::string_view sizes, std::string_view body, size_t largest) {
  Read read;
  kube::ListParser parser(
      largest,
      {.object = [&](const json::value& value) { read.objects.push_back(json::serialize(value)); },
       .left_out = [&](const Error&) { read.objects.emplace_back(); }});
  for (size_t turn = 0; !body.empty(); ++turn) {
    const size_t size =
        sizes.empty() ? body.size() : 1 + static_cast<unsigned char>(sizes[turn % sizes.size()]);
    const Result<void> added = parser.add(body.substr(0, size));
    if (!added) {
      must(added.error().kind == ErrorKind::kRetryable, "what is no list may be one next time");
      return read;
    }
    body.remove_prefix(std::min(size, body.size()));
  }
  const Result<kube::ListHead> head = parser.finish();
  if (!head) {
    must(head.error().kind == ErrorKind::kRetryable, "what is no list may be one next time");
    return read;
  }
  must(!head->version.empty(), "a list has a version");
  read.version = head->version;
  read.next = head->next;
  return read;
}

size_t count(std::string_view text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

// Against the document as a whole. Where a key stands twice the two may differ, rightly.
void check_against_document(std::string_view body, const Read& read) {
  if (count(body, "\"items\"") > 1 || body.contains('\\')) return;
  boost::system::error_code broken;
  json::value document = json::parse(body, broken, {}, {.max_depth = kDeepest});
  if (broken) return must(!read.version, "a list is JSON");
  kube::prune(document);
  const json::object* object = document.if_object();
  const json::value* items = object == nullptr ? nullptr : object->if_contains("items");
  if (items == nullptr) {
    must(!read.version && read.objects.empty(), "a list has items");
    return;
  }
  if (!items->is_array()) return must(read.objects.empty(), "items are in an array");
  std::vector<std::string> objects;
  for (const json::value& item : items->get_array()) objects.push_back(json::serialize(item));
  must(read.objects == objects, "every item is handed over");
}

}  // namespace

void fuzz(std::string_view input) {
  constexpr size_t kSizes = 4;
  if (input.size() < kSizes) return;
  const std::string_view sizes = input.substr(0, kSizes);
  const std::string_view body = input.substr(kSizes);
  const Read whole = read("", body, kAll);
  check_against_document(body, whole);
  must(read(sizes, body, kAll) == whole, "the pieces do not matter");

  const Read bounded = read("", body, kLargest);
  must(read(sizes, body, kLargest) == bounded, "nor do they where something is too large");
  must(bounded.objects.size() <= whole.objects.size(), "a limit adds nothing");
  for (size_t i = 0; i < bounded.objects.size(); ++i) {
    must(bounded.objects[i].empty() || bounded.objects[i] == whole.objects[i],
         "an object is whole, or is left out");
  }
}

}  // namespace spotkeeper
