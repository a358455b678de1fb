// SPDX-License-Identifier: Apache-2.0
#include "kube/list_parser.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/allocator_interface.h>
#endif

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;

struct Outcome {
  std::vector<std::string> objects;
  std::vector<std::string> left_out;
  std::string failure;
  ListHead head;
};

Outcome parse(const std::vector<std::string>& pieces, size_t largest = 1000) {
  Outcome outcome;
  ListParser parser(
      largest,
      {.object = [&](const json::value& o) { outcome.objects.push_back(json::serialize(o)); },
       .left_out = [&](const Error& e) { outcome.left_out.push_back(e.message); }});
  for (const std::string& piece : pieces) {
    if (const Result<void> taken = parser.add(piece); !taken) {
      outcome.failure = taken.error().message;
      EXPECT_EQ(taken.error().kind, ErrorKind::kRetryable);
      return outcome;
    }
  }
  const Result<ListHead> head = parser.finish();
  if (head) {
    outcome.head = *head;
  } else {
    outcome.failure = head.error().message;
    EXPECT_EQ(head.error().kind, ErrorKind::kRetryable);
  }
  return outcome;
}

using Strings = std::vector<std::string>;

constexpr const char* kList = R"({"kind":"PodList","apiVersion":"v1",
  "metadata":{"resourceVersion":"7","continue":"to\u006ben","items":[{"not":"these"}]},
  "items":[{"a":{"items":[1,-2,3.5,18446744073709551615,true,false,null,"x\ny"]}},
           {},{"b":[[],{}]},"odd",5,[1,{}]]})";

const Strings kObjects = {
    R"({"a":{"items":[1,-2,3.5E0,18446744073709551615,true,false,null,"x\ny"]}})",
    "{}",
    R"({"b":[[],{}]})",
    R"("odd")",
    "5",
    "[1,{}]"};

TEST(ListParser, HandsOverEachObjectWhereverPiecesEnd) {
  const std::string text = kList;
  for (size_t at = 0; at <= text.size(); ++at) {
    const Outcome outcome = parse({text.substr(0, at), text.substr(at)});
    ASSERT_EQ(outcome.failure, "") << at;
    ASSERT_EQ(outcome.objects, kObjects) << at;
    ASSERT_EQ(outcome.head.version, "7") << at;
    ASSERT_EQ(outcome.head.next, "token") << at;
  }
  Strings bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  EXPECT_EQ(parse(bytes).objects, kObjects);
}

TEST(ListParser, HandsOverBeforeTheEnd) {
  const std::string text = kList;
  const Outcome outcome = parse({text.substr(0, text.find("odd") + 4), "no JSON"});
  EXPECT_EQ(outcome.objects.size(), 4U);
  EXPECT_EQ(outcome.failure, "the answer is not JSON");
}

TEST(ListParser, ItemsMayComeFirstOrBeNull) {
  const Outcome first = parse({R"({"items":[{"a":1}],"metadata":{"resourceVersion":"9"}})"});
  EXPECT_EQ(first.failure, "");
  EXPECT_EQ(first.objects, Strings{R"({"a":1})"});
  EXPECT_EQ(first.head.version, "9");
  const Outcome none = parse({R"({"metadata":{"resourceVersion":"9"},"items":null})"});
  EXPECT_EQ(none.failure, "");
  EXPECT_EQ(none.objects, Strings());
  EXPECT_EQ(none.head.next, "");
}

TEST(ListParser, LeavesOutWhatIsTooLarge) {
  const std::string big(200, 'x');
  const std::string head = R"({"metadata":{"resourceVersion":"9"},"items":[{"a":1},)";
  const Strings rows = {R"({"k":")" + big + R"(","more":[{"z":1}]})",
                        R"({"k":{")" + big + R"(":[1,2,{"a":[]}]}})", "\"" + big + "\"",
                        "[" + std::string(199, '[') + "]"};
  for (size_t i = 0; i < 3; ++i) {
    const Outcome outcome = parse({head + rows[i] + R"(,{"b":2}]})"}, 100);
    EXPECT_EQ(outcome.failure, "") << rows[i];
    EXPECT_EQ(outcome.objects, (Strings{R"({"a":1})", R"({"b":2})"})) << rows[i];
    EXPECT_EQ(outcome.left_out, Strings{"an object of more than 100 bytes"}) << rows[i];
  }
  EXPECT_EQ(parse({head + rows[3]}).failure, "the answer is not JSON") << "nested too deep";
}

TEST(ListParser, TheLimitIsTheSameWhereverPiecesEnd) {
  const std::string object = R"({"k":")" + std::string(80, 'x') + R"("})";
  Strings bytes;
  for (const char c : R"({"metadata":{"resourceVersion":"9"},"items":[)" + object + "]}") {
    bytes.emplace_back(1, c);
  }
  EXPECT_EQ(parse(bytes, 100).objects, Strings{object});
}

TEST(ListParser, TheRestIsBoundedToo) {
  const std::string big(200, 'x');
  EXPECT_EQ(parse({R"({"x":")" + big}, 100).failure, "the answer is not a list");
  EXPECT_EQ(parse({R"({")" + big}, 100).failure, "the answer is not a list");
}

TEST(ListParser, RefusesWhatIsNoList) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "the answer is not JSON"},
      {"<html><body>sign in</body></html>", "the answer is not JSON"},
      {R"({"metadata":{"resourceVersion":"9"},"items":[{}])", "the answer is not JSON"},
      {R"({"metadata":{"resourceVersion":"9"},"items":[]}})", "the answer is not JSON"},
      {R"({"metadata":{"resourceVersion":"9"},"items":{}})", "the answer is not a list"},
      {R"({"metadata":{"resourceVersion":"9"},"items":5})", "the answer is not a list"},
      {R"({"metadata":{},"items":[]})", "the answer is not a list"},
      {R"({"metadata":{"resourceVersion":"9"}})", "the answer is not a list"},
      {R"({"kind":"Status","code":200})", "the answer is not a list"},
      {"[{}]", "the answer is not a list"},
      {"5", "the answer is not a list"},
  };
  for (const auto& [text, failure] : rows) EXPECT_EQ(parse({text}).failure, failure) << text;
}

size_t allocated() {
#ifdef __SANITIZE_ADDRESS__
  return __sanitizer_get_current_allocated_bytes();
#else
  return mallinfo2().uordblks;
#endif
}

// What the API server sends for a pod, about 3 KB.
std::string pod(int number) {
  std::string fields;
  for (int i = 0; i < 60; ++i) {
    fields += R"("f:field)" + std::to_string(i) + R"(":{".":{},"f:value":{}},)";
  }
  return R"({"metadata":{"name":"web-)" + std::to_string(number) +
         R"(","namespace":"default","uid":"u)" + std::to_string(number) +
         R"(","managedFields":[{"fieldsV1":{)" + fields + R"("f:end":{}}}]},"spec":{"nodeName":)" +
         R"("n"},"status":{"phase":"Running"}})";
}

// The point of it all: a page of 10,000 pods, 30 MB of text, costs what one pod costs.
TEST(ListParser, HoldsOneObjectAtATime) {
  constexpr int kPods = 10'000;
  constexpr size_t kPiece = size_t{16} * 1024;
  const size_t before = allocated();
  size_t most = 0;
  size_t text = 0;
  int objects = 0;
  ListParser parser(size_t{2} * 1024 * 1024, {.object =
                                                  [&](const json::value& object) {
                                                    ++objects;
                                                    EXPECT_TRUE(object.is_object());
                                                    most = std::max(most, allocated());
                                                  },
                                              .left_out = {}});
  std::string piece = R"({"metadata":{"resourceVersion":"9"},"items":[)";
  for (int i = 0; i < kPods; ++i) {
    piece += pod(i) + (i + 1 < kPods ? "," : "]}");
    if (piece.size() < kPiece && i + 1 < kPods) continue;
    text += piece.size();
    ASSERT_TRUE(parser.add(piece));
    piece.clear();
  }
  ASSERT_TRUE(parser.finish());
  EXPECT_EQ(objects, kPods);
  EXPECT_GT(text, size_t{20} * 1024 * 1024);
  EXPECT_LT(most - before, size_t{256} * 1024) << "of " << text << " bytes of text";
  RecordProperty("peak_bytes", std::to_string(most - before));
}

}  // namespace
}  // namespace spotkeeper::kube
