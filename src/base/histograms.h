// SPDX-License-Identifier: Apache-2.0
// Plain named histograms, beside base/counters.h: how long things took. As there, names and label
// values come from a fixed set.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/counters.h"

namespace spotkeeper {

class Histograms {
 public:
  struct Data {
    std::vector<double> bounds;    // upper ones, rising; the last bucket has none
    std::vector<uint64_t> counts;  // one more than bounds; not summed up
    double sum = 0;
  };

  // The bounds are those of the first call.
  void observe(std::string name, Counters::Labels labels, std::initializer_list<double> bounds,
               double value) {
    Data& data = all_[Counters::Key{std::move(name), std::move(labels)}];
    if (data.counts.empty()) {
      data.bounds = bounds;
      data.counts.resize(bounds.size() + 1);
    }
    size_t bucket = 0;
    while (bucket < data.bounds.size() && value > data.bounds[bucket]) ++bucket;
    ++data.counts[bucket];
    data.sum += value;
  }

  const std::map<Counters::Key, Data>& all() const { return all_; }

 private:
  std::map<Counters::Key, Data> all_;
};

}  // namespace spotkeeper
