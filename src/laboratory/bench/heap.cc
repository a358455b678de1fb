// SPDX-License-Identifier: Apache-2.0
// operator new and delete for world_bench alone, whose workers are processes of one thread: blocks
// of 16, 32, 48 … bytes, each size from chunks of its own, and what is freed is taken again first.
// A history asks for half a million small blocks; libc's heap took a fifth of its time. Larger
// blocks are libc's. Memory goes back when the process ends.
#include <malloc.h>
#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

constexpr size_t kStep = 16;
constexpr size_t kLargest = 1024;
constexpr size_t kChunk = 65'536;
constexpr int kKept = 268'435'456;
constexpr size_t kMost = 4'294'967'296;  // of addresses; pages that are not used cost nothing

struct Free {
  Free* next;
};

class Heap {
 public:
  // nullptr: it is none of ours to give.
  void* take(size_t size) {
    if (size > kLargest) return nullptr;
    Line& line = lines_[line_of(size)];
    if (Free* const block = line.free) {
      line.free = block->next;
      return block;
    }
    const size_t needs = line_of(size) * kStep;
    if (line.next + needs > line.end && !add_chunk(line)) return nullptr;
    void* const block = line.next;
    line.next += needs;
    return block;
  }

  bool owns(const void* block) const {
    return block != nullptr &&
           static_cast<size_t>(static_cast<const char*>(block) - begin_) < kMost;
  }
  void give_back(void* block, size_t line) {
    auto* const freed = static_cast<Free*>(block);
    freed->next = lines_[line].free;
    lines_[line].free = freed;
  }
  size_t line_of_block(const void* block) const {
    return line_of_chunk_[static_cast<size_t>(static_cast<const char*>(block) - begin_) / kChunk];
  }
  static size_t line_of(size_t size) { return size == 0 ? 1 : (size + kStep - 1) / kStep; }

 private:
  struct Line {
    Free* free = nullptr;
    char* next = nullptr;
    char* end = nullptr;
  };
  bool add_chunk(Line& line) {
    if (begin_ == nullptr && !reserve()) return false;
    if (used_ + kChunk > kMost) return false;
    line_of_chunk_[used_ / kChunk] = static_cast<uint8_t>(&line - lines_.data());
    line.next = begin_ + used_;
    line.end = line.next + kChunk;
    used_ += kChunk;
    return true;
  }
  bool reserve() {
    void* const memory = mmap(nullptr, kMost, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return false;
    begin_ = static_cast<char*>(memory);
    madvise(memory, kMost, MADV_HUGEPAGE);  // or not: it costs time only
    // What libc holds is kept for the next history.
    mallopt(M_MMAP_THRESHOLD, kKept);
    mallopt(M_TRIM_THRESHOLD, kKept);
    return true;
  }

  char* begin_ = nullptr;
  size_t used_ = 0;
  std::array<Line, kLargest / kStep + 1> lines_{};
  std::array<uint8_t, kMost / kChunk> line_of_chunk_{};
};

constinit Heap heap;

}  // namespace

void* operator new(size_t size) {
  if (void* const block = heap.take(size)) return block;
  if (void* const block = std::malloc(size)) return block;
  throw std::bad_alloc();
}

void operator delete(void* block) noexcept {
  if (heap.owns(block)) {
    heap.give_back(block, heap.line_of_block(block));
  } else {
    std::free(block);
  }
}

void operator delete(void* block, size_t size) noexcept {
  if (heap.owns(block)) {
    heap.give_back(block, Heap::line_of(size));
  } else {
    std::free(block);
  }
}
