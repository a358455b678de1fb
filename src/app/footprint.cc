// SPDX-License-Identifier: Apache-2.0
#include "app/footprint.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace spotkeeper::app {
namespace {

// The first object is the executable. Only its segments that are never written: dropped pages are
// read from the file again, unchanged.
int forget_segments(dl_phdr_info* object, size_t /*size*/, void* /*unused*/) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const uintptr_t begin = (object->dlpi_addr + segment.p_vaddr + page - 1) / page * page;
    const uintptr_t end = (object->dlpi_addr + segment.p_vaddr + segment.p_memsz) / page * page;
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 1;  // no other
}

}  // namespace

void forget_code() {
  dl_iterate_phdr(&forget_segments, nullptr);
}

}  // namespace spotkeeper::app
