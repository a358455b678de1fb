// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <cerrno>
#include <memory>
#include <system_error>

namespace spotkeeper {
namespace {

constexpr size_t kKiB = 1024;
constexpr size_t kMiB = kKiB * 1024;

std::unexpected<Error> cannot_read(const std::string& name, int number) {
  return permanent(name + ": " + std::generic_category().message(number));
}

std::string in_words(size_t bytes) {
  if (bytes % kMiB == 0) return std::to_string(bytes / kMiB) + " MiB";
  if (bytes % kKiB == 0) return std::to_string(bytes / kKiB) + " KiB";
  return std::to_string(bytes) + " bytes";
}

}  // namespace

Result<std::string> read_file(const std::string& path, size_t at_most) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (!file) return cannot_read(path, errno);
  return read_file(file.get(), path, at_most);
}

Result<std::string> read_file(FILE* file, const std::string& name, size_t at_most) {
  std::string content;
  char piece[4096];
  for (;;) {
    const size_t size = std::fread(piece, 1, sizeof piece, file);
    content.append(piece, size);
    if (std::ferror(file) != 0) return cannot_read(name, errno);
    if (content.size() > at_most) return permanent(name + ": is larger than " + in_words(at_most));
    if (size < sizeof piece && std::feof(file) != 0) return content;
  }
}

}  // namespace spotkeeper
