// What an operation sees of the job it runs in.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>

#include "domain/job.h"
#include "service/ports/state_store.h"

namespace cohort::service {

// Threads: progress calls from any thread; undo calls from the job's own.
class JobContext {
 public:
  JobContext(const Job& job, StateStore& store, std::stop_token stop);

  [[nodiscard]] const JobId& id() const { return id_; }
  // Requested when the user cancels.
  [[nodiscard]] std::stop_token stop() const { return stop_; }
  // kCancelled once a stop has been requested.
  [[nodiscard]] Result<void> check_cancelled() const;

  void set_phase(std::string phase);
  void set_total(std::uint64_t bytes);
  void set_done(std::uint64_t bytes);
  void add_done(std::uint64_t bytes);
  // What the job is about. Only the first call counts: operations call it that are parts of others.
  void works_on(const WorksOn& what);
  // What the job made: a snapshot's id, a folder.
  void set_result(std::string result);
  // From now on something stays although the job be cancelled: the error says itself what becomes of what was begun.
  void will_stay();
  [[nodiscard]] bool stays() const;
  [[nodiscard]] JobProgress progress() const;
  [[nodiscard]] std::string result() const;
  [[nodiscard]] WorksOn works_on() const;

  // Records in the store, before the side effect, how to take it back should this job not end well.
  [[nodiscard]] Result<UndoStep> will_undo(UndoKind kind, const std::string& subject);
  // The side effect is meant to stay, or has been taken back.
  [[nodiscard]] Result<void> will_keep(const UndoStep& step);

 private:
  JobId id_;
  StateStore& store_;
  std::stop_token stop_;
  mutable std::mutex mutex_;
  JobProgress progress_;
  std::string result_;
  WorksOn works_on_;
  bool stays_ = false;
};

}  // namespace cohort::service
