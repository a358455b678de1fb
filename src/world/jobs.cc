// SPDX-License-Identifier: Apache-2.0
#include "world/jobs.h"

#include <algorithm>

#include "world/api.h"

namespace spotkeeper::world {
namespace {

constexpr Seconds kLongestBackOff{600};
constexpr int kMostDoublings = 6;

bool is_counted(const Pod& pod) {
  return std::ranges::find(pod.meta.finalizers, kJobFinalizer) == pod.meta.finalizers.end();
}

bool has_failed(const Job& job, const Pod& pod) {
  if (pod.status.phase == Phase::kFailed) return true;
  return !job.spec.ignores_disruption && pod.deleting() && pod.status.phase != Phase::kSucceeded;
}

bool is_excused(const Job& job, const Pod& pod) {
  if (!job.spec.ignores_disruption) return false;
  const Condition* target = find_condition(pod.status.conditions, "DisruptionTarget");
  return target != nullptr && target->status;
}

}  // namespace

Jobs::Jobs(Context& context)
    : context_(context),
      queue_(context, context.options.job, [this](const Key& key) { sync(key); }) {}

void Jobs::on(const Event& event) {
  const Meta& meta = event.object->meta;
  if (event.kind() == Kind::kJob) {
    if (event.change == Change::kDeleted) {
      failures_.erase(meta.uid);
    } else {
      queue_.add(meta.view());
    }
  } else if (event.kind() == Kind::kPod && meta.owner && meta.owner->kind == Kind::kJob) {
    queue_.add({meta.ns, meta.owner->name});
  }
}

void Jobs::sync(const Key& key) {
  const Ptr<Job> job = context_.store.find<Job>(key);
  if (!job || job->meta.deletion) return;
  Job::Status status = job->status;
  if (!status.started) status.started = context_.now();
  count(*job, status);
  judge(*job, status);
  if (!job->over()) make_pods(*job, status);
  context_.store.report(job, std::move(status));
}

void Jobs::count(const Job& job, Job::Status& status) {
  Failures& failures = failures_[job.meta.uid];
  status.active = 0;
  status.ready = 0;
  const PodIndex::Set pods = context_.store.pods().of(job.meta.uid);
  for (const PodIndex::Entry* entry : pods) {
    const Ptr<Pod> pod = entry->pod;
    const bool failed = has_failed(job, *pod);
    if (entry->active) {
      ++status.active;
      if (entry->ready) ++status.ready;
    }
    if (is_counted(*pod) || (!failed && pod->status.phase != Phase::kSucceeded)) continue;
    if (!failed) {
      ++status.succeeded;
      failures.in_a_row = 0;
    } else if (!is_excused(job, *pod)) {
      ++status.failed;
      ++failures.in_a_row;
      failures.last =
          pod->deleting() ? *pod->meta.deletion - pod->meta.deletion_grace : context_.now();
    }
    context_.api->update<Pod>(pod->meta.key(), {},
                              [](Pod& each) { std::erase(each.meta.finalizers, kJobFinalizer); });
  }
}

void Jobs::judge(const Job& job, Job::Status& status) {
  if (job.over()) return;
  // Since 1.31 the judgement has a condition of its own, before the end's.
  const auto finish = [&](const char* target, const char* type, const char* reason) {
    status.completed = context_.now();
    for (const char* each : {target, type}) {
      set_condition(
          status.conditions,
          {.type = each, .status = true, .reason = reason, .message = {}, .since = context_.now()});
    }
    const PodIndex::Set pods = context_.store.pods().of(job.meta.uid);
    for (const PodIndex::Entry* entry : pods) {
      if (entry->active) context_.api->delete_pod(entry->pod, std::nullopt);
    }
  };
  if (status.succeeded >= job.spec.completions) {
    finish("SuccessCriteriaMet", "Complete", "CompletionsReached");
  } else if (status.failed > job.spec.backoff_limit) {
    finish("FailureTarget", "Failed", "BackoffLimitExceeded");
  }
}

void Jobs::make_pods(const Job& job, Job::Status& status) {
  if (status.completed) return;
  int running = status.active;
  if (job.spec.ignores_disruption) {
    // podReplacementPolicy Failed: one that is ending still holds its place.
    for (const PodIndex::Entry* entry : context_.store.pods().of(job.meta.uid)) {
      if (entry->pod->deleting() && !entry->pod->finished()) ++running;
    }
  }
  const int wanted =
      std::min(job.spec.parallelism, job.spec.completions - status.succeeded) - running;
  if (wanted <= 0) return;
  const Failures& failures = failures_[job.meta.uid];
  if (failures.in_a_row > 0) {
    const Seconds pause =
        std::min(kLongestBackOff, context_.options.job_back_off *
                                      (1 << std::min(failures.in_a_row - 1, kMostDoublings)));
    if (context_.now() < failures.last + pause) {
      queue_.add_at(job.meta.key(), failures.last + pause);
      return;
    }
  }
  for (int i = 0; i < wanted; ++i) {
    Pod pod = pod_from(job.spec.pod, job.meta, Kind::kJob, generated_name(context_, job.meta.name));
    pod.meta.finalizers.emplace_back(kJobFinalizer);
    if (!context_.api->create(std::move(pod))) {
      queue_.add_at(job.meta.key(), context_.now() + Seconds(1));
      return;
    }
    ++status.active;
  }
}

}  // namespace spotkeeper::world
