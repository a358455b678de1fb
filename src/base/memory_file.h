// SPDX-License-Identifier: Apache-2.0
// Fuzz targets only: a file in memory that has a path, for parsers that read files.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "base/fuzz.h"

namespace spotkeeper {

class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) { must(fd_ >= 0, "memfd_create works"); }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  // Replaces the content.
  void put(std::string_view content) const {
    must(::ftruncate(fd_, 0) == 0, "a file is emptied");
    const ssize_t written = ::pwrite(fd_, content.data(), content.size(), 0);
    must(written == static_cast<ssize_t>(content.size()), "a file is written");
  }

  // Opened anew it is read from its beginning.
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace spotkeeper
