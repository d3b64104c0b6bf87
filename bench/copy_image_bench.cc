// What `cohort export` does with each disk, without all that is around it:
//
//   cohort-bench-copy [--no-hash|--compress] (SOURCE FORMAT TARGET FORMAT)...
//
// copies all of them side by side and prints one line of JSON: seconds of planning, seconds of all, processor time,
// peak memory. The block hashes of each are in TARGET.blocks.
//
//   cohort-bench-copy --since FROZEN PARENT FORMAT BYTES SOURCE FORMAT TARGET qcow2
//
// copies what has changed since FROZEN, a backing file of the source, was copied to PARENT of that format and size.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "base/sha256.h"
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

struct Options {
  bool is_hashed = true;
  bool is_compressed = false;
  std::optional<cohort::disk::ImageBase> base = {};
};

cohort::Path list_of(const cohort::Path& target) { return target.string() + ".blocks"; }

Result<cohort::disk::ImageBase> base_of(std::span<char*> arguments) {
  const cohort::Path list = list_of(arguments[1]);
  COHORT_ASSIGN(std::string content_hash, cohort::sha256_of_file(list));
  return cohort::disk::ImageBase{
      arguments[0], {arguments[1], arguments[2], std::stoull(arguments[3])}, {list, std::move(content_hash)}};
}

// Takes them away from the arguments.
Result<Options> options_of(std::span<char*>& arguments) {
  Options options;
  const std::string_view first = arguments.empty() ? "" : arguments.front();
  std::size_t taken = 0;
  if (first == "--no-hash" || first == "--compress") {
    options.is_hashed = first != "--no-hash";
    options.is_compressed = first == "--compress";
    taken = 1;
  } else if (first == "--since" && arguments.size() >= 5) {
    COHORT_ASSIGN(options.base, base_of(arguments.subspan(1)));
    taken = 5;
  }
  arguments = arguments.subspan(taken);
  return options;
}

std::vector<Job> jobs_of(std::span<char*> arguments) {
  std::vector<Job> jobs;
  for (; arguments.size() >= 4; arguments = arguments.subspan(4)) {
    jobs.push_back({arguments[0], arguments[1], arguments[2], arguments[3]});
  }
  return jobs;
}

Result<double> plan_all(const std::vector<Job>& jobs, const Options& options) {
  const auto begin = Clock::now();
  for (const Job& job : jobs) {
    if (options.base) {
      COHORT_TRY(cohort::disk::measure_difference(job.source, job.source_format, *options.base));
    } else {
      COHORT_TRY(cohort::disk::measure_copy(job.source, job.source_format, job.target_format));
    }
  }
  return seconds_since(begin);
}

Result<void> copy_all(const std::vector<Job>& jobs, const Options& options) {
  cohort::disk::BufferPool buffers;
  cohort::disk::RateLimiter limiter;
  auto copied = cohort::run_in_parallel(jobs.size(), [&](std::size_t i) {
    const Job& job = jobs[i];
    return cohort::disk::copy_image({.source = job.source,
                                     .source_format = job.source_format,
                                     .target = job.target,
                                     .target_format = job.target_format,
                                     .resources = {buffers, limiter},
                                     .is_compressed = options.is_compressed,
                                     .is_hashed = options.is_hashed,
                                     .block_hashes = options.is_hashed ? list_of(job.target) : cohort::Path(),
                                     .base = options.base},
                                    {}, {});
  });
  for (auto& result : copied) COHORT_TRY(std::move(result));
  return {};
}

Result<std::string> run(std::span<char*> arguments) {
  COHORT_ASSIGN(const Options options, options_of(arguments));
  const auto jobs = jobs_of(arguments);
  const auto begin = Clock::now();
  COHORT_ASSIGN(const double planned, plan_all(jobs, options));
  COHORT_TRY(copy_all(jobs, options));
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
  const auto line = run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  if (!line) {
    fmt::print(stderr, "cohort-bench-copy: {}\n", line.error().describe());
    return 1;
  }
  fmt::print("{}\n", *line);
  return 0;
}
