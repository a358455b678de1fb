// SPDX-License-Identifier: Apache-2.0
#include "config/text_file.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace spotkeeper::config {

Result<std::string> read_text_file(const std::string& path) {
  const bool from_stdin = path == "-";
  const std::string name = from_stdin ? "stdin" : path;
  const auto failed = [&name](int number) {
    return permanent(name + ": " + std::generic_category().message(number));
  };
  const std::unique_ptr<FILE, int (*)(FILE*)> opened(
      from_stdin ? nullptr : std::fopen(path.c_str(), "re"), &std::fclose);
  FILE* file = from_stdin ? stdin : opened.get();
  if (file == nullptr) return failed(errno);
  std::string content(kLargestText + 1, '\0');
  const size_t size = std::fread(content.data(), 1, content.size(), file);
  if (std::ferror(file) != 0) return failed(errno);
  if (size > kLargestText) return permanent(name + ": is larger than 1 MiB; expected less");
  content.resize(size);
  return content;
}

}  // namespace spotkeeper::config
