// SPDX-License-Identifier: Apache-2.0
#include "observe/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <sstream>
#include <string_view>

namespace spotkeeper::observe {
namespace {

struct Help {
  std::string_view name;
  const char* text;
};

constexpr std::array kHelp{
    Help{"notices", "Notices heard, by kind and source."},
    Help{"imds_polls", "Polls of instance metadata, by outcome."},
    Help{"api_requests", "Answers of the Kubernetes API, by verb, resource and code (0: none)."},
    Help{"aws_requests", "Answers of AWS, by service, action and code (0: none)."},
    Help{"clock_corrections", "Times that our clock was set by AWS's."},
    Help{"journal_entries", "Steps of drains, as in the journal."},
};

const char* help_of(std::string_view name) {
  for (const Help& help : kHelp) {
    if (help.name == name) return help.text;
  }
  return "A counter of spotkeeper.";
}

}  // namespace

std::string metrics_text(const Counters& counters) {
  prometheus::Registry registry;
  for (const auto& [key, value] : counters.all()) {
    auto& family = prometheus::BuildCounter()
                       .Name("spotkeeper_" + key.name + "_total")
                       .Help(help_of(key.name))
                       .Register(registry);
    prometheus::Labels labels;
    for (const auto& [name, text] : key.labels) labels[name] = text;
    family.Add(labels).Increment(value);
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, registry.Collect());
  return out.str();
}

}  // namespace spotkeeper::observe
