// Shows on standard error how far a job is.
#pragma once

#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "cli/output/rate_meter.h"
#include "domain/job.h"

namespace cohort::cli {

enum class ProgressStyle {
  kNone,   // only what say() is told
  kLines,  // for logs: a line every few seconds at most, none for a short job, and none twice in a row
  kBar,    // for a terminal: one line, drawn over
};

// Threads: safe from any.
class Progress {
 public:
  // `err` and `clock` must outlive this object. `width` is the terminal's, in columns.
  Progress(std::ostream& err, ProgressStyle style, std::size_t width, const Clock& clock);
  // Wipes the bar.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(const Job& job);
  // A message of its own line, beside the progress.
  void say(std::string_view message);
  // What the job does, by its last update.
  [[nodiscard]] std::string phase() const;

 private:
  void show(const std::string& line);

  std::ostream& err_;
  const ProgressStyle style_;
  const std::size_t width_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  RateMeter meter_;
  std::string phase_;
  SteadyTime last_line_;
  std::string last_text_;  // of a line
  bool is_bar_drawn_ = false;
};

}  // namespace cohort::cli
