// SPDX-License-Identifier: Apache-2.0
// A webhook's template, with data that has something of every kind.
#include "template/template.h"

#include "base/fuzz.h"
#include "template/limits.h"

namespace spotkeeper::tmpl {
namespace {

Value data() {
  const Value pods = Value::texts({"web-0", "db-0", "db-0"});
  const Value labels = Value::text_map({{"zone", "us-east-1f"}, {"lifecycle", "Ec2Spot"}});
  const Map any = {
      {"n", Value::number(42)},
      {"f", Value::real(3.25)},
      {"nil", Value::nil()},
      {"list", Value::list({Value::number(3), Value::nil(), Value::boolean(true), pods})},
      {"nested", Value::map({{"deep", labels}})}};
  return Value::record({{"EventID", Value::text("spot-itn-47dd")},
                        {"Kind", Value::text("SPOT_ITN")},
                        {"Description", Value::text("interrupted at \xff \"now\"\n")},
                        {"NodeName", Value::text("ip-10-0-7-10.ec2.internal")},
                        {"NodeLabels", labels},
                        {"Pods", pods},
                        {"IsManaged", Value::boolean(true)},
                        {"StartTime", Value::time(Time(Millis(1600204504120)))},
                        {"EndTime", Value::time(kZeroTime)},
                        {"Any", Value::map(any)}});
}

const Schema& schema() {
  static const Schema fields = {
      {"EventID", FieldType::kText},       {"Kind", FieldType::kText},
      {"Description", FieldType::kText},   {"NodeName", FieldType::kText},
      {"NodeLabels", FieldType::kTextMap}, {"Pods", FieldType::kTexts},
      {"IsManaged", FieldType::kBool},     {"StartTime", FieldType::kTime},
      {"EndTime", FieldType::kTime},       {"Any", FieldType::kAny}};
  return fields;
}

void must_be_for_people(const Error& error) {
  must(is_one_line(error.message) && is_utf8(error.message), "an error is one line of text");
  must(error.message.starts_with("t:"), "an error says where");
  must(error.message.size() < 600, "an error is no longer than one reads");
}

}  // namespace
}  // namespace spotkeeper::tmpl

void spotkeeper::fuzz(std::string_view input) {
  using namespace tmpl;
  const auto made = Template::parse(std::string(input), "t");
  const auto checked = Template::parse(std::string(input), "t", schema());
  if (!made) {
    must_be_for_people(made.error());
    must(!checked, "a schema allows nothing more");
    return;
  }
  if (!checked) must_be_for_people(checked.error());
  const Value with = data();
  const auto out = made->render(with, Time(Seconds(86400)));
  if (!out) return must_be_for_people(out.error());
  must(out->size() <= kMostOutput, "no more comes out than is allowed");
  must(made->render(with, Time(Seconds(86400))).value_or("") == *out,
       "a template renders the same again");
  if (!input.contains("{{")) must(*out == input, "plain text is itself");
}
