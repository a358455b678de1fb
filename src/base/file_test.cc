// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <gtest/gtest.h>

namespace spotkeeper {
namespace {

std::string written(const std::string& content) {
  std::string path = testing::TempDir() + "/file_test";
  FILE* file = std::fopen(path.c_str(), "we");
  EXPECT_EQ(std::fwrite(content.data(), 1, content.size(), file), content.size());
  EXPECT_EQ(std::fclose(file), 0);
  return path;
}

TEST(File, IsReadWhole) {
  EXPECT_EQ(*read_file(written(""), 10), "");
  EXPECT_EQ(*read_file(written("0123456789"), 10), "0123456789");
  const std::string large(3 * 4096, 'x');
  EXPECT_EQ(*read_file(written(large), large.size()), large);
}

TEST(File, LargerThanTheBoundIsNotRead) {
  const std::string path = written("0123456789");
  EXPECT_EQ(read_file(path, 9).error().message, path + ": is larger than 9 bytes");
  const std::string large = written(std::string(2049, 'x'));
  EXPECT_EQ(read_file(large, 2048).error().message, large + ": is larger than 2 KiB");
}

TEST(File, SaysWhyItCannotBeRead) {
  EXPECT_EQ(read_file("/no/such", 9).error().message, "/no/such: No such file or directory");
  EXPECT_EQ(read_file("/", 9).error().message, "/: Is a directory");
  EXPECT_EQ(read_file("/", 9).error().kind, ErrorKind::kPermanent);
}

}  // namespace
}  // namespace spotkeeper
