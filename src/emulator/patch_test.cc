// SPDX-License-Identifier: Apache-2.0
#include "emulator/patch.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace spotkeeper::emulator {
namespace {

struct Case {
  const char* target;
  const char* patch;
  const char* expected;
};

std::string patched(PatchKind kind, const Case& one) {
  json::value target = json::parse(one.target);
  const auto done = apply_patch(kind, target, json::parse(one.patch));
  return done ? json::serialize(target) : "refused: " + done.error().message;
}

TEST(MergePatch, ChangesAddsAndRemoves) {
  for (const Case& one : {
           Case{R"({"a":1,"b":{"c":2}})", R"({"b":{"d":3}})", R"({"a":1,"b":{"c":2,"d":3}})"},
           Case{R"({"a":1,"b":2})", R"({"a":null,"none":null})", R"({"b":2})"},
           Case{R"({"a":[1,2]})", R"({"a":[3]})", R"({"a":[3]})"},
           Case{R"({"a":1})", R"({"a":{"b":null,"c":1}})", R"({"a":{"c":1}})"},
       }) {
    EXPECT_EQ(patched(PatchKind::kMerge, one), one.expected);
  }
}

TEST(StrategicPatch, MergesListsThatHaveAKey) {
  for (const Case& one : {
           Case{R"({"conditions":[{"type":"Ready","status":"True"},{"type":"B","status":"x"}]})",
                R"({"conditions":[{"type":"Ready","status":"False"},{"type":"C","status":"y"}]})",
                R"({"conditions":[{"type":"Ready","status":"False"},{"type":"B","status":"x"},)"
                R"({"type":"C","status":"y"}]})"},
           Case{R"({"conditions":[{"type":"A"},{"type":"B"}]})",
                R"({"conditions":[{"type":"A","$patch":"delete"}]})",
                R"({"conditions":[{"type":"B"}]})"},
           Case{R"({"ownerReferences":[{"uid":"1"},{"uid":"2"}]})",
                R"({"ownerReferences":[{"$patch":"delete","uid":"1"}]})",
                R"({"ownerReferences":[{"uid":"2"}]})"},
           Case{R"({"conditions":[{"type":"A"}]})",
                R"({"conditions":[{"$patch":"replace"},{"type":"B"}]})",
                R"({"conditions":[{"type":"B"}]})"},
           Case{R"({"containers":[{"name":"app","image":"a:1","ports":[{"containerPort":1}]}]})",
                R"({"containers":[{"name":"app","image":"a:2"}]})",
                R"({"containers":[{"name":"app","image":"a:2","ports":[{"containerPort":1}]}]})"},
       }) {
    EXPECT_EQ(patched(PatchKind::kStrategic, one), one.expected);
  }
}

TEST(StrategicPatch, TreatsOtherListsAsTheApiDoes) {
  for (
      const Case& one : {
          Case{R"({"taints":[{"key":"a"}]})", R"({"taints":[{"key":"b"}]})",
               R"({"taints":[{"key":"b"}]})"},
          Case{R"({"finalizers":["a","b"]})", R"({"finalizers":["b","c"]})",
               R"({"finalizers":["a","b","c"]})"},
          Case{
              R"({"finalizers":["a","b"]})",
              R"({"$deleteFromPrimitiveList/finalizers":["a"],"$setElementOrder/finalizers":["b"]})",
              R"({"finalizers":["b"]})"},
          Case{R"({"strategy":{"type":"R","rollingUpdate":{"x":1}}})",
               R"({"strategy":{"$retainKeys":["type"],"type":"Recreate"}})",
               R"({"strategy":{"type":"Recreate"}})"},
          Case{R"({"a":{"b":1},"c":1})", R"({"a":null})", R"({"c":1})"},
          Case{R"({})", R"({"conditions":[{"type":"A","x":null}]})",
               R"({"conditions":[{"type":"A"}]})"},
      }) {
    EXPECT_EQ(patched(PatchKind::kStrategic, one), one.expected);
  }
}

TEST(JsonPatch, DoesItsSixOperations) {
  for (const Case& one : {
           Case{R"({"a":[1,3]})", R"([{"op":"add","path":"/a/1","value":2}])", R"({"a":[1,2,3]})"},
           Case{R"({"a":[1]})", R"([{"op":"add","path":"/a/-","value":2}])", R"({"a":[1,2]})"},
           Case{R"({"a/b":1})", R"([{"op":"replace","path":"/a~1b","value":2}])", R"({"a/b":2})"},
           Case{R"({"a":1,"b":2})", R"([{"op":"remove","path":"/a"}])", R"({"b":2})"},
           Case{R"({"a":1})", R"([{"op":"move","from":"/a","path":"/b"}])", R"({"b":1})"},
           Case{R"({"a":1})", R"([{"op":"copy","from":"/a","path":"/b"}])", R"({"a":1,"b":1})"},
           Case{R"({"a":1})", R"([{"op":"test","path":"/a","value":1}])", R"({"a":1})"},
       }) {
    EXPECT_EQ(patched(PatchKind::kJson, one), one.expected);
  }
}

TEST(JsonPatch, DoesAllOrNothing) {
  for (const char* bad :
       {R"([{"op":"add","path":"/b","value":2},{"op":"test","path":"/a","value":2}])",
        R"([{"op":"remove","path":"/none"}])", R"([{"op":"dance","path":"/a"}])",
        R"([{"op":"replace","path":"/x/y","value":1}])", R"([{"op":"add"}])",
        R"([{"op":"add","path":"/a/9","value":1}])", R"({"op":"add"})", R"([1])"}) {
    json::value target = json::parse(R"({"a":1})");
    EXPECT_FALSE(apply_patch(PatchKind::kJson, target, json::parse(bad)).has_value()) << bad;
    EXPECT_EQ(json::serialize(target), R"({"a":1})") << bad;
  }
}

TEST(Patch, OfAListIsNoMergePatch) {
  EXPECT_EQ(patched(PatchKind::kMerge, {"{}", "[]", ""}), "refused: a merge patch is an object");
}

}  // namespace
}  // namespace spotkeeper::emulator
