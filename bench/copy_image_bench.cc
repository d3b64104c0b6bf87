// What `cohort export` does with each disk, without all that is around it:
//
//   cohort-bench-copy [--no-hash] (SOURCE FORMAT TARGET FORMAT)...
//
// copies all of them side by side and prints one line of JSON: seconds of planning, seconds of all, bytes of the files.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <span>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "disk/copy_image.h"

namespace {

using cohort::Result;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

struct Job {
  cohort::Path source;
  std::string source_format;
  cohort::Path target;
  std::string target_format;
};

std::vector<Job> jobs_of(std::span<char*> arguments) {
  std::vector<Job> jobs;
  for (; arguments.size() >= 4; arguments = arguments.subspan(4)) {
    jobs.push_back({arguments[0], arguments[1], arguments[2], arguments[3]});
  }
  return jobs;
}

Result<double> plan_all(const std::vector<Job>& jobs) {
  const auto begin = Clock::now();
  for (const Job& job : jobs) {
    COHORT_TRY(cohort::disk::measure_copy(job.source, job.source_format, job.target_format));
  }
  return seconds_since(begin);
}

Result<void> copy_all(const std::vector<Job>& jobs, bool is_hashed) {
  cohort::disk::BufferPool buffers;
  cohort::disk::RateLimiter limiter;
  auto copied = cohort::run_in_parallel(jobs.size(), [&](std::size_t i) {
    const Job& job = jobs[i];
    return cohort::disk::copy_image({.source = job.source,
                                     .source_format = job.source_format,
                                     .target = job.target,
                                     .target_format = job.target_format,
                                     .resources = {buffers, limiter},
                                     .is_hashed = is_hashed},
                                    {}, {});
  });
  for (auto& result : copied) COHORT_TRY(std::move(result));
  return {};
}

Result<std::string> run(const std::vector<Job>& jobs, bool is_hashed) {
  const auto begin = Clock::now();
  COHORT_ASSIGN(const double planned, plan_all(jobs));
  COHORT_TRY(copy_all(jobs, is_hashed));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return fmt::format(R"({{"plan": {:.4f}, "seconds": {:.4f}, "user": {:.3f}, "system": {:.3f}, "peak_kib": {}}})",
                     planned, seconds_since(begin),
                     static_cast<double>(usage.ru_utime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec) / 1e6,
                     static_cast<double>(usage.ru_stime.tv_sec) + static_cast<double>(usage.ru_stime.tv_usec) / 1e6,
                     usage.ru_maxrss);
}

}  // namespace

int main(int argc, char** argv) {
  auto arguments = std::span(argv, static_cast<std::size_t>(argc)).subspan(1);
  const bool is_hashed = arguments.empty() || std::string_view(arguments.front()) != "--no-hash";
  if (!is_hashed) arguments = arguments.subspan(1);
  const auto line = run(jobs_of(arguments), is_hashed);
  if (!line) {
    fmt::print(stderr, "cohort-bench-copy: {}\n", line.error().describe());
    return 1;
  }
  fmt::print("{}\n", *line);
  return 0;
}
