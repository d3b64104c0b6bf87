#include "daemon/job_metrics.h"

#include <map>
#include <utility>

namespace cohort::daemon {

JobMetrics::JobMetrics(service::StateStore& store, Metrics& metrics) : store_(store), metrics_(metrics) {
  look_at_jobs(false);
  look_at_snapshots(false);
}

void JobMetrics::look() {
  const std::scoped_lock lock(mutex_);
  look_at_jobs(true);
  look_at_snapshots(true);
}

void JobMetrics::look_at_jobs(bool counts) {
  const auto jobs = store_.jobs();
  if (!jobs) return;
  std::map<JobType, std::size_t> running;
  std::set<JobId> ended;
  for (const Job& job : *jobs) {
    auto& of_type = running[job.type];
    if (!is_ended(job.state)) {
      ++of_type;
      continue;
    }
    ended.insert(job.id);
    if (counts && !ended_.contains(job.id)) metrics_.count_job(job.type, job.state, job.progress.done_bytes);
  }
  ended_ = std::move(ended);
  for (const auto& [type, count] : running) metrics_.set_running_jobs(type, count);
}

void JobMetrics::look_at_snapshots(bool counts) {
  const auto snapshots = store_.snapshots();
  if (!snapshots) return;
  std::set<SnapshotId> taken;
  for (const Snapshot& snapshot : *snapshots) {
    if (snapshot.state == SnapshotState::kCreating) continue;
    taken.insert(snapshot.id);
    if (counts && !snapshots_.contains(snapshot.id)) metrics_.observe_fence(snapshot.fence.raised);
  }
  snapshots_ = std::move(taken);
}

}  // namespace cohort::daemon
