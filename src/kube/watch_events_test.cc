// SPDX-License-Identifier: Apache-2.0
#include "kube/watch_events.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <vector>

namespace spotkeeper::kube {
namespace {

// What comes out when `pieces` go in; "!" for an error.
std::vector<std::string> split(const std::vector<std::string>& pieces, size_t longest = 100) {
  LineSplitter splitter(longest);
  std::vector<std::string> lines;
  for (const std::string& piece : pieces) {
    splitter.add(piece);
    for (;;) {
      const auto line = splitter.next();
      if (!line) {
        lines.emplace_back("!");
        return lines;
      }
      if (!*line) break;
      lines.emplace_back(**line);
    }
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(LineSplitter, SplitsWhereverPiecesEnd) {
  EXPECT_EQ(split({"one\ntwo\n"}), (Lines{"one", "two"}));
  EXPECT_EQ(split({"on", "e", "\n", "two\nthr", "ee\n"}), (Lines{"one", "two", "three"}));
  EXPECT_EQ(split({"one\r\n\r\n\ntwo\n", "rest"}), (Lines{"one", "two"}));
  EXPECT_EQ(split({""}), Lines{});
  const std::string text = "first\nsecond line\n\nthird\n";
  for (size_t at = 0; at <= text.size(); ++at) {
    EXPECT_EQ(split({text.substr(0, at), text.substr(at)}),
              (Lines{"first", "second line", "third"}));
  }
}

TEST(LineSplitter, RefusesALineOverTheLimit) {
  EXPECT_EQ(split({"1234\n", "12345\n"}, 4), (Lines{"1234", "!"}));
  EXPECT_EQ(split({"12", "34", "5"}, 4), Lines{"!"}) << "without waiting for its end";
  EXPECT_EQ(split({"1234\n1234\n12", "34\n"}, 4), (Lines{"1234", "1234", "1234"}));
}

TEST(EventType, IsReadFromTheEvent) {
  const std::pair<const char*, EventType> rows[] = {
      {R"({"type":"ADDED"})", EventType::kChanged},
      {R"({"type":"MODIFIED"})", EventType::kChanged},
      {R"({"type":"DELETED"})", EventType::kDeleted},
      {R"({"type":"BOOKMARK"})", EventType::kBookmark},
      {R"({"type":"ERROR"})", EventType::kError},
      {R"({"type":"NEW"})", EventType::kUnknown},
      {R"({"type":5})", EventType::kUnknown},
      {"[]", EventType::kUnknown}};
  for (const auto& [event, type] : rows) {
    EXPECT_EQ(event_type(boost::json::parse(event)), type) << event;
  }
}

}  // namespace
}  // namespace spotkeeper::kube
