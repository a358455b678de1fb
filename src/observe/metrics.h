// SPDX-License-Identifier: Apache-2.0
// Counters, histograms and single readings in Prometheus' text format, through prometheus-cpp.
#pragma once

#include <string>
#include <vector>

#include "base/counters.h"
#include "base/histograms.h"

namespace spotkeeper::observe {

// Read at the moment of the answer, under its full name.
struct Reading {
  std::string name;  // "process_resident_memory_bytes"
  std::string help;
  double value = 0;
  bool counts = false;  // it only grows
  Counters::Labels labels = {};
};

// text/plain; version=0.0.4. Every counter is named spotkeeper_NAME_total and every histogram
// spotkeeper_NAME, each with a help line; those that NTH has are named and labelled as there.
std::string metrics_text(const Counters& counters, const Histograms& histograms = {},
                         const std::vector<Reading>& readings = {});

// What Prometheus' client libraries say of their own process, by /proc; what cannot be read is
// left out.
std::vector<Reading> process_readings();

}  // namespace spotkeeper::observe
