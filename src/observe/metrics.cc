// SPDX-License-Identifier: Apache-2.0
#include "observe/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <limits>
#include <sstream>
#include <string_view>

namespace spotkeeper::observe {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

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
    Help{"pods_told", "Pods that we have told to end."},
    Help{"pods_overruled", "Of those, pods whose disruption budget was overruled."},
    Help{"pods_handed_over", "Pods whose replacement was Ready before they were told."},
    Help{"pods_cut_off", "Pods that their host's end met without their having been told in time."},
    Help{"pods", "Pods of finished drains, by outcome, as in the post-mortem."},
    Help{"webhook_posts", "Posts to the webhook, by outcome: success, retry or failure."},
    Help{"kubernetes_events", "Kubernetes events, by outcome: written or dropped."},
    Help{"notice_lead_seconds",
         "From hearing a notice to the end that it names, by kind and source."},
    Help{"mark_seconds", "From hearing a notice to the node's being marked."},
    Help{"pod_told_before_deadline_seconds", "From a pod's being told to its host's end."},
};

// Of NTH: its names, and the labels that its exporter gives each series.
constexpr std::array kNth{
    Help{"actions", "Number of actions"},
    Help{"actions_node", "Number of actions per node"},
    Help{"events_error", "Number of errors in events processing"},
};

const char* find_help(std::string_view name) {
  for (const Help& help : kHelp) {
    if (help.name == name) return help.text;
  }
  return "A counter of spotkeeper.";
}

MetricFamily family_of(const std::string& name, MetricType type) {
  MetricFamily family;
  family.type = type;
  for (const Help& help : kNth) {
    if (help.name == name) {
      family.name = name + "_total";
      family.help = help.text;
      return family;
    }
  }
  family.name = "spotkeeper_" + name + (type == MetricType::Counter ? "_total" : "");
  family.help = find_help(name);
  return family;
}

bool is_nth(std::string_view name) {
  for (const Help& help : kNth) {
    if (help.name == name) return true;
  }
  return false;
}

ClientMetric with_labels(const Counters::Labels& labels) {
  ClientMetric metric;
  for (const auto& [name, value] : labels) metric.label.push_back({.name = name, .value = value});
  return metric;
}

ClientMetric::Histogram cumulated(const Histograms::Data& data) {
  ClientMetric::Histogram histogram;
  uint64_t sum = 0;
  for (size_t i = 0; i < data.counts.size(); ++i) {
    sum += data.counts[i];
    histogram.bucket.push_back({.cumulative_count = sum,
                                .upper_bound = i < data.bounds.size()
                                                   ? data.bounds[i]
                                                   : std::numeric_limits<double>::infinity()});
  }
  histogram.sample_count = sum;
  histogram.sample_sum = data.sum;
  return histogram;
}

// The family of this name, which may be the last one: series of a name come one after another.
MetricFamily& last_of(std::vector<MetricFamily>& families, MetricFamily wanted) {
  if (families.empty() || families.back().name != wanted.name) {
    families.push_back(std::move(wanted));
  }
  return families.back();
}

void add_nth_labels(ClientMetric& metric) {
  metric.label.push_back({.name = "otel_scope_name", .value = "aws.node.termination.handler"});
  metric.label.push_back({.name = "otel_scope_version", .value = ""});
}

}  // namespace

std::string metrics_text(const Counters& counters, const Histograms& histograms,
                         const std::vector<Reading>& readings) {
  std::vector<MetricFamily> families;
  for (const auto& [key, value] : counters.all()) {
    ClientMetric metric = with_labels(key.labels);
    if (is_nth(key.name)) add_nth_labels(metric);
    metric.counter.value = value;
    last_of(families, family_of(key.name, MetricType::Counter)).metric.push_back(metric);
  }
  for (const auto& [key, data] : histograms.all()) {
    ClientMetric metric = with_labels(key.labels);
    metric.histogram = cumulated(data);
    last_of(families, family_of(key.name, MetricType::Histogram)).metric.push_back(metric);
  }
  for (const Reading& reading : readings) {
    ClientMetric metric = with_labels(reading.labels);
    if (reading.name.starts_with("nth_")) add_nth_labels(metric);
    MetricFamily family;
    family.name = reading.name;
    family.help = reading.help;
    family.type = reading.counts ? MetricType::Counter : MetricType::Gauge;
    (reading.counts ? metric.counter.value : metric.gauge.value) = reading.value;
    last_of(families, std::move(family)).metric.push_back(metric);
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

}  // namespace spotkeeper::observe
