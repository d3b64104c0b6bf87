// Figures of jobs and fences, from what the store has of them.
#pragma once

#include <mutex>
#include <set>

#include "daemon/metrics.h"
#include "service/ports/state_store.h"

namespace cohort::daemon {

// Threads: safe to call from several at once.
class JobMetrics {
 public:
  // What is in the store already is not counted. Both outlive this object.
  JobMetrics(service::StateStore& store, Metrics& metrics);

  // Counts what has ended since the last look. A store that cannot be read now is looked at next time.
  void look();

 private:
  void look_at_jobs(bool counts);
  void look_at_snapshots(bool counts);

  service::StateStore& store_;
  Metrics& metrics_;
  std::mutex mutex_;
  std::set<JobId> ended_;  // those that are in the store
  std::set<SnapshotId> snapshots_;
};

}  // namespace cohort::daemon
