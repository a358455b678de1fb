// SPDX-License-Identifier: Apache-2.0
#include "config/host_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace spotkeeper::config {
namespace {

using testing::HasSubstr;

std::string all(const Result<std::vector<HostLine>>& hosts) {
  if (!hosts) return "error: " + hosts.error().message;
  std::string text;
  for (const HostLine& one : *hosts) text += std::to_string(one.line) + "=" + one.host + " ";
  return text;
}

TEST(HostFile, OneHostALine) {
  struct Case {
    std::string text;
    std::string hosts;
  };
  const std::vector<Case> cases{
      {.text = "a\nb\n", .hosts = "1=a 2=b "},
      {.text = "a\nb", .hosts = "1=a 2=b "},
      {.text = "\n# the old ones\n  ip-10-0-1-7.ec2.internal \t# soon\r\n\r\nnode/b\r\n",
       .hosts = "3=ip-10-0-1-7.ec2.internal 5=b "},
      {.text = "\xef\xbb\xbfi-0123456789abcdef0\n", .hosts = "1=i-0123456789abcdef0 "},
      {.text = "a\na\n", .hosts = "1=a 2=a "},
      {.text = std::string(253, 'a'), .hosts = "1=" + std::string(253, 'a') + " "},
  };
  for (const Case& one : cases) EXPECT_EQ(all(parse_hosts(one.text, "f")), one.hosts);
}

TEST(HostFile, ErrorsNameFileAndLine) {
  struct Case {
    std::string text;
    std::string error;
  };
  const std::vector<Case> cases{
      {.text = "a\nb c\n",
       .error = "error: hosts.txt:2: expected one host a line, a node's name or its instance id, "
                "got 'b c'"},
      {.text = "\n\n--undo\xff\n", .error = "hosts.txt:3: "},
      {.text = std::string("a\0b", 3), .error = "hosts.txt:1: "},
      {.text = "node/\n", .error = "got 'node/'"},
      {.text = "pod/a\n", .error = "got 'pod/a'"},
      {.text = std::string(254, 'a'), .error = "hosts.txt:1: "},
      {.text = "", .error = "error: hosts.txt: no host is in it; expected one a line"},
      {.text = "# nobody\n\n", .error = "no host is in it"},
  };
  for (const Case& one : cases) {
    const std::string said = all(parse_hosts(one.text, "hosts.txt"));
    EXPECT_THAT(said, HasSubstr(one.error));
    EXPECT_EQ(said.find('\n'), std::string::npos) << "one line";
    EXPECT_LT(said.size(), 250U);
  }
}

TEST(HostFile, AFileThatIsNotThereOrTooLarge) {
  EXPECT_THAT(all(read_host_file("/no/such/file")),
              HasSubstr("/no/such/file: No such file or directory"));
  const std::string path = testing::TempDir() + "large-host-file";
  std::ofstream(path) << std::string((1U << 20U) + 1, '\n');
  EXPECT_THAT(all(read_host_file(path)), HasSubstr("is larger than 1 MiB"));
  std::ofstream(path) << "a\n";
  EXPECT_EQ(all(read_host_file(path)), "1=a ");
}

}  // namespace
}  // namespace spotkeeper::config
