// Msvm_ConcreteJob: the jobs, those of the command line among them; and Msvm_CollectionReferencePointExportJob, those
// that export a reference point.
#pragma once

#include <mutex>
#include <set>

#include "base/clock.h"
#include "domain/job.h"
#include "provider/provider.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

// JobState as clients see it. A job that waits for its turn counts as running: there are clients that follow a job only
// while it runs.
enum class CimJobState : std::uint16_t { kRunning = 4, kCompleted = 7, kTerminated = 8, kKilled = 9, kException = 10 };
[[nodiscard]] CimJobState cim_state_of(JobState state);

// What such a job does, in words.
[[nodiscard]] const char* caption_of(JobType type);

// The job as an instance of its class, without the files that an export of a reference point has written.
[[nodiscard]] cim::Instance job_instance(const Job& job, WallTime now);

enum class JobClass { kConcrete, kReferencePointExport };

class ConcreteJobProvider final : public ClassProvider {
 public:
  ConcreteJobProvider(JobClass which, service::StateStore& state, const Clock& clock)
      : which_(which), state_(state), clock_(clock) {}

  [[nodiscard]] std::string_view class_name() const override;
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;
  [[nodiscard]] Result<std::optional<cim::Instance>> find(const cim::ObjectPath& path) override;
  [[nodiscard]] bool finds_one() const override { return true; }
  [[nodiscard]] Right right_for(std::string_view method) const override;
  [[nodiscard]] Result<cim::MethodResult> invoke(const MethodCall& call) override;

 private:
  [[nodiscard]] Result<cim::MethodResult> request_state_change(const MethodCall& call, const Job& job);
  [[nodiscard]] Result<cim::MethodResult> kill_job(const MethodCall& call, const Job& job);
  // What has been begun is taken back, whether it is terminated or killed.
  [[nodiscard]] Result<void> cancel(const Job& job, bool is_kill);
  [[nodiscard]] CimJobState shown_state_of(const Job& job) const;

  [[nodiscard]] bool is_of_class(const Job& job) const;
  [[nodiscard]] Result<cim::Instance> instance_of(const Job& job);

  JobClass which_;
  service::StateStore& state_;
  const Clock& clock_;
  // The cancelled ones that are shown as killed, as long as this program runs.
  mutable std::mutex mutex_;
  std::set<JobId> killed_;
};

}  // namespace cohort::provider
