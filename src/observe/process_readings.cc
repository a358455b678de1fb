// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "observe/metrics.h"

namespace spotkeeper::observe {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

std::vector<Reading> process_readings() {
  std::vector<Reading> readings;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    readings.push_back({.name = "process_cpu_seconds_total",
                        .help = "CPU time of the process.",
                        .value = seconds(usage.ru_utime) + seconds(usage.ru_stime),
                        .counts = true});
  }
  std::error_code none;
  double open = -1;  // the one that looks
  for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", none);
       !none && entry != std::filesystem::directory_iterator(); entry.increment(none)) {
    ++open;
  }
  if (open > 0) {
    readings.push_back(
        {.name = "process_open_fds", .help = "Open file descriptors.", .value = open});
  }
  std::ifstream statm("/proc/self/statm");
  double pages = 0;
  double resident = 0;
  if (statm >> pages >> resident) {
    const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
    readings.push_back({.name = "process_resident_memory_bytes",
                        .help = "Resident memory.",
                        .value = resident * page});
    readings.push_back(
        {.name = "process_virtual_memory_bytes", .help = "Virtual memory.", .value = pages * page});
  }
  readings.push_back({.name = "spotkeeper_build_info",
                      .help = "1; the label says which version runs.",
                      .value = 1,
                      .labels = {{"version", SPOTKEEPER_VERSION}}});
  return readings;
}

}  // namespace spotkeeper::observe
