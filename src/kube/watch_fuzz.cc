// SPDX-License-Identifier: Apache-2.0
// A watch's body, in pieces. The first four bytes are the sizes of the pieces, used in turn; the
// rest is the body. Whatever the pieces, the lines are those of the whole body, and the same pods
// are reported.
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/fuzz.h"
#include "kube/follow.h"
#include "kube/object_parser.h"
#include "kube/objects.h"
#include "kube/test_prune.h"
#include "kube/watch_events.h"

namespace spotkeeper {
namespace {

namespace json = boost::json;
using Lines = std::vector<std::string>;

constexpr size_t kLongest = 700;        // of a line; short, so that longer ones turn up
constexpr size_t kDeepest = 100;        // as the parser has it
constexpr const char* kTooLong = "\n";  // in Lines: this is where the limit was passed

// The lines of a body, the plain way.
Lines lines_of(std::string_view body) {
  Lines lines;
  for (;;) {
    const size_t end = body.find('\n');
    std::string_view line = body.substr(0, end);
    if (line.size() > kLongest) {
      lines.emplace_back(kTooLong);
      return lines;
    }
    if (end == std::string_view::npos) return lines;
    body.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) lines.emplace_back(line);
  }
}

// The lines of a body that comes in pieces, as Follower::watch takes them.
Lines split(std::string_view sizes, std::string_view body) {
  kube::LineSplitter splitter(kLongest);
  Lines lines;
  for (size_t turn = 0; !body.empty(); ++turn) {
    const size_t size = 1 + static_cast<unsigned char>(sizes[turn % sizes.size()]);
    splitter.add(std::string(body.substr(0, size)));
    body.remove_prefix(std::min(size, body.size()));
    for (;;) {
      const auto line = splitter.next();
      if (!line) {
        must(line.error().kind == ErrorKind::kPermanent, "the splitter's error is permanent");
        lines.emplace_back(kTooLong);
        return lines;
      }
      if (!*line) break;
      lines.emplace_back(**line);
    }
  }
  return lines;
}

// Reads the events as Follower::take_event does, into the records that follow() keeps.
class Reader {
 public:
  void take(const std::string& line) {
    const std::optional<json::value> event = parse(line);
    const json::object* fields = event ? event->if_object() : nullptr;
    const json::value* object = fields == nullptr ? nullptr : fields->if_contains("object");
    if (object == nullptr) return;
    const kube::EventType type = kube::event_type(*event);
    if (type == kube::EventType::kChanged) records_.put(*object);
    if (type == kube::EventType::kDeleted) records_.remove(*object);
  }

  // The list that follows a watch that broke off, and holds nothing any more.
  void list_nothing() {
    records_.begin_list();
    records_.end_list();
    must(alive_.empty(), "what is not in the list is gone");
  }

 private:
  std::optional<json::value> parse(const std::string& line) {
    std::optional<json::value> event = parser_.parse(line);
    boost::system::error_code broken;
    json::value plain = json::parse(line, broken, {}, {.max_depth = kDeepest});
    must(event.has_value() == !broken, "an event is JSON");
    kube::prune(plain);
    must(!event || json::serialize(*event) == json::serialize(plain), "only that is left out");
    return event;
  }
  void changed(const kube::Pod& pod) {
    must(!pod.uid.empty() && !pod.name.empty() && !pod.ns.empty(), "a pod has an identity");
    alive_.insert(pod.uid);
  }
  void gone(const kube::Pod& pod) {
    must(alive_.erase(pod.uid) == 1, "gone is what was there, once");
  }

  kube::ObjectParser parser_;
  std::set<std::string> alive_;
  kube::Records<kube::Pod> records_{&kube::decode_pod,
                                    {.changed = [this](const kube::Pod& pod) { changed(pod); },
                                     .gone = [this](const kube::Pod& pod) { gone(pod); },
                                     .synced = {},
                                     .failed =
                                         [](const Error& error) {
                                           must(error.kind == ErrorKind::kPermanent,
                                                "a bad object stays bad");
                                         }}};
};

}  // namespace

void fuzz(std::string_view input) {
  constexpr size_t kSizes = 4;
  if (input.size() < kSizes) return;
  const std::string_view body = input.substr(kSizes);
  const Lines lines = split(input.substr(0, kSizes), body);
  must(lines == lines_of(body), "the pieces do not matter");
  Reader reader;
  for (const std::string& line : lines) reader.take(line);
  reader.list_nothing();
}

}  // namespace spotkeeper
