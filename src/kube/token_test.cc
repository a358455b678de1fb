// SPDX-License-Identifier: Apache-2.0
#include "kube/token.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace spotkeeper::kube {
namespace {

using std::chrono::seconds;

class TokenTest : public testing::Test {
 protected:
  TokenTest() {
    std::string name = (std::filesystem::temp_directory_path() / "spotkeeper-token-XXXXXX");
    folder_ = ::mkdtemp(name.data());
    file_ = (folder_ / "token").string();
  }
  ~TokenTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  // In place, with the modification time given: the same time means "looks unchanged".
  void write(const std::string& content, int64_t modified_s) const {
    std::ofstream(file_) << content;
    const timespec times[2] = {{modified_s, 0}, {modified_s, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, file_.c_str(), times, 0), 0);
  }

  std::filesystem::path folder_;
  std::string file_;
  const Token::Steady start_ = std::chrono::steady_clock::now();
};

TEST_F(TokenTest, FixedTokenIsNeverRead) {
  Token token("", Secret("fixed"));
  EXPECT_EQ(token.at(start_)->reveal(), "fixed");
  EXPECT_FALSE(token.refused());
  EXPECT_EQ(Token("", Secret()).at(start_)->reveal(), "");
}

TEST_F(TokenTest, IsReadAgainWhenTheFileWasReplaced) {
  write(" one\n", 1000);
  Token token(file_, Secret("fixed"));
  EXPECT_EQ(token.at(start_)->reveal(), "one");
  write("two", 1001);
  EXPECT_EQ(token.at(start_)->reveal(), "two");
  std::ofstream(file_ + ".new") << "three";
  std::filesystem::rename(file_ + ".new", file_);
  EXPECT_EQ(token.at(start_)->reveal(), "three");
}

TEST_F(TokenTest, IsReadAgainEveryMinuteAndWhenRefused) {
  write("one", 1000);
  Token token(file_, Secret());
  EXPECT_EQ(token.at(start_)->reveal(), "one");
  write("two", 1000);
  EXPECT_EQ(token.at(start_ + seconds(59))->reveal(), "one");
  EXPECT_EQ(token.at(start_ + seconds(60))->reveal(), "two");
  write("three", 1000);
  EXPECT_EQ(token.at(start_ + seconds(61))->reveal(), "two");
  EXPECT_TRUE(token.refused());
  EXPECT_EQ(token.at(start_ + seconds(61))->reveal(), "three");
}

TEST_F(TokenTest, TheLastOneOutlivesItsFile) {
  write("one", 1000);
  Token token(file_, Secret());
  EXPECT_EQ(token.at(start_)->reveal(), "one");
  std::filesystem::remove(file_);
  EXPECT_EQ(token.at(start_ + seconds(100))->reveal(), "one");
  write("two", 1002);
  EXPECT_EQ(token.at(start_ + seconds(100))->reveal(), "two");
}

TEST_F(TokenTest, SaysWhichFileIsBad) {
  Token token(file_, Secret());
  const auto missing = token.at(start_);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kDenied);
  EXPECT_EQ(missing.error().message, "token file " + file_ + ": No such file or directory");
  write(" \n", 1000);
  EXPECT_EQ(token.at(start_).error().message, "token file " + file_ + " is empty");
  write("a\r\nX-Injected: b", 1001);
  EXPECT_EQ(token.at(start_).error().message, "token file " + file_ + " does not hold a token");
  write("good", 1002);
  EXPECT_EQ(token.at(start_)->reveal(), "good");
}

}  // namespace
}  // namespace spotkeeper::kube
