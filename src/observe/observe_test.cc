// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "core/test_drain.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "observe/post_mortem.h"

namespace spotkeeper::observe {
namespace {

using core::kNoon;
using testing::HasSubstr;

TEST(LogLine, ConsoleIsNthsShape) {
  EXPECT_EQ(format_line(false, Time(Seconds(1'800'000'000)), core::Level::kWarning, "told",
                        {{"pod", "default/web"}, {"why", "a \"reason\""}}),
            "2027/01/15 08:00:00 WRN told pod=default/web why=\"a \\\"reason\\\"\"");
}

TEST(LogLine, JsonIsOneObject) {
  const std::string line = format_line(true, Time(Seconds(1'800'000'000)), core::Level::kInfo,
                                       "line\nbreak", {{"pod", "default/web"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto object = boost::json::parse(line).as_object();
  EXPECT_EQ(object.at("level"), "info");
  EXPECT_EQ(object.at("message"), "line\nbreak");
  EXPECT_EQ(object.at("time"), "2027-01-15T08:00:00.000Z");
  EXPECT_EQ(object.at("pod"), "default/web");
}

TEST(Metrics, AreInPrometheusText) {
  Counters counters;
  counters.count("imds_polls", {{"outcome", "quiet"}}, 3);
  counters.count("imds_polls", {{"outcome", "notice"}});
  const std::string text = metrics_text(counters);
  EXPECT_THAT(text, HasSubstr("# TYPE spotkeeper_imds_polls_total counter"));
  EXPECT_THAT(text, HasSubstr("spotkeeper_imds_polls_total{outcome=\"quiet\"} 3"));
  EXPECT_THAT(text, HasSubstr("# HELP spotkeeper_imds_polls_total Polls"));
}

// Byte for byte, as dashboards for NTH ask for them.
TEST(Metrics, ThoseOfNthHaveItsNamesAndLabels) {
  Counters counters;
  counters.count("actions", {}, 0);
  counters.count("actions", {{"node_action", "cordon-and-drain"}, {"node_status", "success"}});
  const std::string text = metrics_text(counters);
  EXPECT_THAT(text, HasSubstr("\nactions_total{otel_scope_name=\"aws.node.termination.handler\","
                              "otel_scope_version=\"\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\nactions_total{node_action=\"cordon-and-drain\",node_status="
                              "\"success\",otel_scope_name=\"aws.node.termination.handler\","
                              "otel_scope_version=\"\"} 1\n"));
}

TEST(Metrics, HistogramsAreCumulated) {
  Histograms histograms;
  for (const double value : {0.5, 1.0, 3.0, 99.0}) {
    histograms.observe("mark_seconds", {}, {1, 5}, value);
  }
  const std::string text = metrics_text({}, histograms);
  EXPECT_THAT(text, HasSubstr("# TYPE spotkeeper_mark_seconds histogram"));
  EXPECT_THAT(text, HasSubstr("spotkeeper_mark_seconds_bucket{le=\"1\"} 2"));
  EXPECT_THAT(text, HasSubstr("spotkeeper_mark_seconds_bucket{le=\"5\"} 3"));
  EXPECT_THAT(text, HasSubstr("spotkeeper_mark_seconds_bucket{le=\"+Inf\"} 4"));
  EXPECT_THAT(text, HasSubstr("spotkeeper_mark_seconds_sum 103.5"));
  EXPECT_THAT(text, HasSubstr("spotkeeper_mark_seconds_count 4"));
}

TEST(Metrics, TheProcessSaysWhatItTakes) {
  const std::string text = metrics_text({}, {}, process_readings());
  for (const char* name : {"process_cpu_seconds_total", "process_open_fds",
                           "process_resident_memory_bytes", "spotkeeper_build_info{version="}) {
    EXPECT_THAT(text, HasSubstr(std::string("\n") + name));
  }
}

// A drain with one pod of each fate.
core::TestDrain lived() {
  core::TestDrain t;
  core::Unit daemon = core::make_unit("cni");
  daemon.exempt = "a DaemonSet pod";
  t.begin({core::make_unit("web"), core::make_unit("slow", Seconds(600)), daemon,
           core::make_unit("db", Seconds(30), {"default/b"})},
          {{.id = core::BudgetId("default/b"), .allows = 0}});
  for (const core::Action& ask : t.take()) t.answer(ask);
  t.now += Seconds(2);
  t.tell(core::UnitGone{.id = core::UnitId("uid-web")});
  t.advance_to(Seconds(87));
  t.answer(t.take().at(0), std::unexpected(core::refusal()));
  t.answer(t.take().at(0));
  t.answer(t.take().at(0));
  t.now += Seconds(1);
  t.tell(core::UnitGone{.id = core::UnitId("uid-db")});
  t.advance_to(Seconds(120));
  return t;
}

TEST(PostMortem, SaysWhatBecameOfEach) {
  const core::TestDrain t = lived();
  const PostMortem result = make_post_mortem(t.drain, t.now);
  ASSERT_EQ(result.rows.size(), 4U);
  EXPECT_EQ(result.moved, 2);
  EXPECT_EQ(result.ending, 1);
  EXPECT_EQ(result.untold, 0);
  EXPECT_EQ(result.stayed, 1);
  EXPECT_EQ(result.overruled, 1);
  const Row& db = result.rows[1];
  EXPECT_EQ(db.pod, "default/db");
  EXPECT_TRUE(db.overruled);
  EXPECT_THAT(db.remark, HasSubstr("overruled budget default/b"));
  EXPECT_EQ(db.slack, Millis(Seconds(32)));
}

TEST(PostMortem, ATableForPeople) {
  const core::TestDrain t = lived();
  const std::string table = to_table(make_post_mortem(t.drain, t.now));
  EXPECT_THAT(table, HasSubstr("POD"));
  EXPECT_THAT(table, HasSubstr("default/web"));
  EXPECT_THAT(table, HasSubstr("2 moved, 1 still ending, 0 untold, 1 stay; 1 overruled a budget"));
}

TEST(PostMortem, AJsonObjectForPrograms) {
  const core::TestDrain t = lived();
  const auto root = to_json(make_post_mortem(t.drain, t.now));
  EXPECT_EQ(root.at("untold"), 0);
  EXPECT_EQ(root.at("node"), "n1");
  const auto& web = root.at("pods").as_array().at(3).as_object();
  EXPECT_EQ(web.at("pod"), "default/web");
  EXPECT_EQ(web.at("outcome"), "moved");
  EXPECT_EQ(web.at("gone_after_ms"), 2000);
}

TEST(PostMortem, TooLateIsUntold) {
  core::TestDrain t;
  t.begin({core::make_unit("web")});
  const auto asks = t.take();
  t.now = kNoon + Seconds(115);
  t.answer(asks.at(0));
  EXPECT_EQ(make_post_mortem(t.drain, t.now).untold, 1);
}

}  // namespace
}  // namespace spotkeeper::observe
