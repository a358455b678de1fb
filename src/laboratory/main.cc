// SPDX-License-Identifier: Apache-2.0
// world_bench [HISTORIES [FIRST_SEED [WORKERS [SIZE]]]]: random histories as
// laboratory/histories_test.cc runs them, and how long they take. SIZE: "20x30x120" (nodes × pods
// on each × virtual seconds from the first notice, the default), "6x8x150". One JSON line; status 1
// when a promise was broken. VERBOSE=ns/name (or "all"): also the journal of that pod, of one
// history. Not part of what is shipped.
//
// The workers are processes, one for each core unless said otherwise: a world knows no threads, and
// pays for none. Each takes the next seed that nobody has; what comes out is the same with any
// number of them.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "laboratory/history.h"

namespace {

namespace core = spotkeeper::core;
namespace laboratory = spotkeeper::laboratory;

struct Outcome {
  bool done = false;
  bool broken = false;
  laboratory::Tally tally;
};

bool read_size(const char* text, laboratory::Size& size) {
  char rest = 0;
  int lasts = 0;
  if (std::sscanf(text, "%dx%dx%d%c", &size.nodes, &size.pods_per_node, &lasts, &rest) != 3) {
    return false;
  }
  size.lasts = spotkeeper::Seconds(lasts);
  return size.nodes >= 4 && size.pods_per_node >= 1 && lasts >= 120;
}

// What the workers share; zero when it comes from the kernel.
template <class T>
std::span<T> shared(size_t count) {
  void* memory =
      mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    fmt::print(stderr, "world_bench: no shared memory for the outcomes\n");
    std::exit(1);
  }
  T* const begin = static_cast<T*>(memory);
  std::uninitialized_value_construct_n(begin, count);
  return {begin, count};
}

void work(std::span<Outcome> outcomes, std::atomic<size_t>& next, uint64_t first,
          laboratory::Size size) {
  for (size_t i = next++; i < outcomes.size(); i = next++) {
    laboratory::History history(first + i, size);
    history.run();
    outcomes[i] = {.done = true, .broken = !history.broken().empty(), .tally = history.tally()};
  }
}

void run_workers(int workers, std::span<Outcome> outcomes, uint64_t first, laboratory::Size size) {
  std::atomic<size_t>& next = shared<std::atomic<size_t>>(1).front();
  std::vector<pid_t> others;
  for (int i = 1; i < workers; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      work(outcomes, next, first, size);
      _exit(0);
    }
    if (pid > 0) others.push_back(pid);
  }
  work(outcomes, next, first, size);
  for (const pid_t pid : others) waitpid(pid, nullptr, 0);
}

// What was broken there: the same seed gives the same history.
int explain(uint64_t seed, laboratory::Size size) {
  laboratory::History history(seed, size);
  history.run();
  for (const std::string& each : history.broken()) {
    fmt::print(stderr, "SEED={}: {}\n", seed, each);
  }
  if (const char* only = std::getenv("VERBOSE")) {
    for (const core::Entry& entry : history.journal()) {
      if (std::string_view(only) != "all" && !entry.unit.empty() && entry.unit != only) continue;
      fmt::print(stderr, "{} {} {} {}: {}\n", history.since_begin(entry.at), entry.host.value,
                 entry.unit, core::to_string(entry.what), entry.text);
    }
  }
  return static_cast<int>(history.broken().size());
}

}  // namespace

int main(int argc, char** argv) {
  const int histories = argc > 1 ? std::atoi(argv[1]) : 1000;
  const auto first = static_cast<uint64_t>(argc > 2 ? std::atoi(argv[2]) : 1);
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  const int workers = std::max(1, argc > 3 ? std::atoi(argv[3]) : cores);
  laboratory::Size size{.lasts = spotkeeper::Seconds(120)};
  const bool sized = argc <= 4 || read_size(argv[4], size);
  if (!sized) {
    fmt::print(stderr, "world_bench: SIZE is \"20x30x120\", with 120 or more, not \"{}\"\n",
               argv[4]);
    return 2;
  }
  if (histories < 1) {
    fmt::print(stderr, "world_bench: HISTORIES is a number from 1, not \"{}\"\n", argv[1]);
    return 2;
  }
  const auto begin = std::chrono::steady_clock::now();
  const std::span<Outcome> outcomes = shared<Outcome>(static_cast<size_t>(histories));
  run_workers(workers, outcomes, first, size);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;

  laboratory::Tally all;
  int broken = 0;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const auto& [done, wrong, one] = outcomes[i];
    if (!done) {
      fmt::print(stderr, "SEED={}: its worker died\n", first + i);
      ++broken;
    }
    if (wrong || std::getenv("VERBOSE") != nullptr) broken += explain(first + i, size);
    all.pods += one.pods;
    all.moved += one.moved;
    all.cut_off += one.cut_off;
    all.overruled += one.overruled;
    all.released += one.released;
    all.replaced += one.replaced;
    all.put_back += one.put_back;
    all.shared += one.shared;
    all.taken_over += one.taken_over;
    all.actions += one.actions;
    all.changes += one.changes;
  }
  fmt::print(
      "{{\"histories\":{},\"workers\":{},\"seconds\":{:.3f},\"broken\":{},\"pods\":{},"
      "\"changes\":{},\"actions\":{},\"moved\":{},\"cut_off\":{},\"overruled\":{},"
      "\"released\":{},\"replaced\":{},\"put_back\":{},\"shared\":{},\"taken_over\":{}}}\n",
      histories, workers, took.count(), broken, all.pods, all.changes, all.actions, all.moved,
      all.cut_off, all.overruled, all.released, all.replaced, all.put_back, all.shared,
      all.taken_over);
  return broken == 0 ? 0 : 1;
}
