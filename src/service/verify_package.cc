#include "service/verify_package.h"

namespace cohort::service {

Result<package::VerifyReport> verify_package(const Path& directory, JobContext& job,
                                             const package::VerifyOptions& options) {
  job.set_phase("verifying the package");
  job.set_done(0);
  const package::VerifyProgress progress{[&](std::uint64_t total) { job.set_total(total); },
                                         [&](std::uint64_t bytes) { job.add_done(bytes); }};
  return package::verify(directory, job.stop(), progress, options);
}

Result<void> whole_or_error(const package::VerifyReport& report) {
  if (report.is_whole()) return {};
  return fail(report.failure(), "The package {}: {}: {}", report.verdict(), report.problems.front().file,
              report.problems.front().message);
}

}  // namespace cohort::service
