#include "cli/output/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "cli/output/printable.h"
#include "cli/output/quantity.h"

namespace cohort::cli {

namespace {

constexpr std::chrono::seconds kBetweenLines{5};
constexpr std::size_t kBarWidth = 24;
// Back to the first column, and wipe to the end (ECMA-48 EL).
constexpr std::string_view kStartOver = "\r\x1b[K";

double share_of(const JobProgress& progress) {
  const auto done = std::min(progress.done_bytes, progress.total_bytes);
  return static_cast<double>(done) / static_cast<double>(progress.total_bytes);
}

std::string bar(double share) {
  const auto full = static_cast<std::size_t>(share * kBarWidth);
  return fmt::format("[{}{}]", std::string(full, '#'), std::string(kBarWidth - full, '.'));
}

std::string describe(const JobProgress& progress, const RateMeter& meter, bool has_bar) {
  std::string text = printable(progress.phase);
  if (progress.total_bytes == 0) {
    return text;
  }
  const double share = share_of(progress);
  text += fmt::format("  {}{:.0f} %  {} of {}", has_bar ? bar(share) + "  " : "", std::floor(share * 100),
                      format_bytes(progress.done_bytes), format_bytes(progress.total_bytes));
  if (const auto rate = meter.rate()) {
    text += fmt::format("  {}/s", format_bytes(*rate));
  }
  if (const auto left = meter.time_left(progress.total_bytes)) {
    text += fmt::format("  {} left", format_wait(*left));
  }
  return text;
}

}  // namespace

Progress::Progress(std::ostream& err, ProgressStyle style, std::size_t width, const Clock& clock)
    : err_(err), style_(style), width_(width), clock_(clock), last_line_(clock.steady()) {}

Progress::~Progress() {
  const std::lock_guard lock(mutex_);
  if (is_bar_drawn_) {
    err_ << kStartOver << std::flush;
  }
}

void Progress::update(const Job& job) {
  const std::lock_guard lock(mutex_);
  phase_ = job.progress.phase;
  meter_.add(clock_.steady(), job.progress.done_bytes);
  if (style_ != ProgressStyle::kNone) {
    show(describe(job.progress, meter_, style_ == ProgressStyle::kBar));
  }
}

void Progress::show(const std::string& line) {
  if (style_ == ProgressStyle::kBar) {
    // The last column stays free: writing there makes some terminals go to the next line.
    err_ << kStartOver << fit(line, width_ - std::min<std::size_t>(width_, 1)) << std::flush;
    is_bar_drawn_ = true;
  } else if (!line.empty() && line != last_text_ && clock_.steady() - last_line_ >= kBetweenLines) {
    err_ << line << std::endl;
    last_line_ = clock_.steady();
    last_text_ = line;
  }
}

void Progress::say(std::string_view message) {
  const std::lock_guard lock(mutex_);
  err_ << (is_bar_drawn_ ? kStartOver : "") << message << std::endl;
}

std::string Progress::phase() const {
  const std::lock_guard lock(mutex_);
  return phase_;
}

}  // namespace cohort::cli
