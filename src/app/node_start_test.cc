// SPDX-License-Identifier: Apache-2.0
#include "app/node_start.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace spotkeeper::app {
namespace {

Result<Seconds> uptime_of(const std::string& text) {
  const auto path = std::filesystem::path(testing::TempDir()) / "spotkeeper-uptime";
  std::ofstream(path) << text;
  Result<Seconds> read = read_uptime(path.string());
  std::filesystem::remove(path);
  return read;
}

TEST(Uptime, IsTheFirstFieldInWholeSeconds) {
  EXPECT_EQ(uptime_of("5.01 10000"), Seconds(5));
  EXPECT_EQ(uptime_of("350735.47 234388.90\n"), Seconds(350735));
  EXPECT_EQ(uptime_of("7"), Seconds(7));
}

TEST(Uptime, AnythingElseIsAnErrorThatNamesTheFile) {
  for (const char* wrong : {"", "soon", "-5.0 1", "5x 1", "."}) {
    const auto read = uptime_of(wrong);
    ASSERT_FALSE(read) << wrong;
    EXPECT_NE(read.error().message.find("spotkeeper-uptime"), std::string::npos);
  }
  EXPECT_FALSE(read_uptime("/nowhere/uptime"));
  EXPECT_TRUE(read_uptime("")) << "the host's own";
}

}  // namespace
}  // namespace spotkeeper::app
