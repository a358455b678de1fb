// SPDX-License-Identifier: Apache-2.0
#include "observe/hosts_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observe/test_view.h"

namespace spotkeeper::observe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

core::TestDrain begun() {
  core::TestDrain t = just_begun();
  t.advance_to(Seconds(60));
  return t;
}

TEST(HostsBoard, OneLineAHostAndTheSumFirst) {
  const core::TestDrain t = begun();
  const auto lines = hosts_board({&t.drain}, {.hosts = 7, .done = 2, .waiting = 4}, t.now, kPlain);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0].substr(0, 42), "7 hosts: 2 done, 1 draining, 4 to come; po");
  EXPECT_THAT(lines[1], HasSubstr("n1  60 s  0 of 2 gone, 1 ending, 1 waiting  "));
}

TEST(HostsBoard, WhoIsDoneHasNoLineAndNothingIsWiderThanTheTerminal) {
  core::TestDrain t = begun();
  t.now += Seconds(61);
  t.tell(core::Tick{});
  ASSERT_TRUE(t.drain.finished());
  HostsState state{.hosts = 1, .done = 1, .warnings = 3, .note = std::string(200, 'x')};
  auto lines = hosts_board({&t.drain}, state, t.now, kPlain);
  ASSERT_THAT(lines, SizeIs(2)) << "the sum and the note";
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80U);
  state.note.clear();
  lines = hosts_board({&t.drain}, state, t.now, {.width = 200, .colour = false, .unicode = false});
  EXPECT_THAT(lines, ElementsAre("1 hosts: 1 done, 0 draining; pods: 0 of 2 gone, 1 ending, 1 "
                                 "waiting; they have ended; 3 warnings"));
}

HostRow row(const std::string& host, bool well) {
  HostRow row;
  row.host = host;
  row.moved = 4;
  row.untold = well ? 0 : 1;
  row.took = Millis(1500);
  row.well = well;
  row.remark = well ? "" : "shop/db: never told";
  return row;
}

TEST(HostsTable, OneRowAHost) {
  EXPECT_EQ(to_table({row("n1", true), row("n2", false)}, 2),
            "HOST  MOVED  ENDING  UNTOLD  STAY  OVERRULED  TOOK   REMARK\n"
            "n1    4      0       0       0     0          1.5 s\n"
            "n2    4      0       1       0     0          1.5 s  shop/db: never told\n"
            "1 of 2 hosts drained; pods: 8 moved, 0 still ending, 1 untold, 0 stay; 0 overruled a "
            "budget\n");
}

TEST(HostsTable, WhereThereIsNoRoomOnlyThoseThatDidNotEndWell) {
  const std::string table = to_table({row("n1", true), row("n2", false), row("n3", true)}, 2);
  EXPECT_EQ(table.find("n1"), std::string::npos);
  EXPECT_THAT(table, HasSubstr("n2    4"));
  EXPECT_THAT(table, HasSubstr("2 of 3 hosts drained; pods: 12 moved"));
  const std::string all_well = to_table({row("n1", true), row("n2", true)}, 1);
  EXPECT_EQ(all_well.find("HOST"), std::string::npos) << "no empty table";
}

TEST(HostsTable, ARowOfAPostMortem) {
  core::TestDrain t = begun();
  t.now += Seconds(61);
  t.tell(core::Tick{});
  const PostMortem result = make_post_mortem(t.drain, t.now);
  const HostRow row = row_of(result);
  EXPECT_EQ(row.host, "n1");
  EXPECT_EQ(row.untold, result.untold);
  EXPECT_GT(row.untold, 0);
  EXPECT_FALSE(row.well);
  EXPECT_THAT(row.remark, HasSubstr("db: untold"));
}

}  // namespace
}  // namespace spotkeeper::observe
