// From "the user wants to stop" to the job that has to.
#pragma once

#include <mutex>
#include <stop_token>
#include <string_view>

#include "cli/output/progress.h"

namespace cohort::cli {

// Threads: interrupt() from any thread, not from a signal handler (see StopSignals).
class Cancellation {
 public:
  static constexpr std::string_view kCancelling =
      "Cancelling: what was begun is being undone. A second ctrl-C does not speed it up.";

  // While it lives, interrupts go to this job. One at a time.
  class RunningJob {
   public:
    // All must outlive this object. `answer` is said at the first interrupt.
    RunningJob(Cancellation& cancellation, Progress& progress, std::string_view answer = kCancelling);
    ~RunningJob();
    RunningJob(const RunningJob&) = delete;
    RunningJob& operator=(const RunningJob&) = delete;
    [[nodiscard]] std::stop_token stop() const { return source_.get_token(); }

   private:
    friend class Cancellation;
    Cancellation& cancellation_;
    Progress& progress_;
    std::string_view answer_;
    std::stop_source source_;
    int interrupts_ = 0;
  };

  // The first asks the job to stop and says so, later ones say what it still does.
  // False if no job runs: then nobody would notice, and the program should simply end.
  [[nodiscard]] bool interrupt();

 private:
  std::mutex mutex_;
  RunningJob* job_ = nullptr;
};

}  // namespace cohort::cli
