#include "service/seal_package.h"

#include <algorithm>

#include "package/layout.h"
#include "package/seal.h"
#include "service/verify_package.h"

namespace cohort::service {
namespace {

using package::Problem;
using package::ProblemKind;

// The list is written anew with the hashes; one that was killed in between has written it already.
bool is_mended_by_sealing(const Problem& problem) {
  return problem.kind == ProblemKind::kUnsealed ||
         (problem.kind == ProblemKind::kBadList && problem.file == package::kHashListName);
}

struct Unsealed {
  std::size_t images = 0;
  std::uint64_t bytes = 0;
};

Unsealed unsealed_of(const package::Manifest& manifest) {
  Unsealed unsealed;
  for (const auto& machine : manifest.machines) {
    for (const auto& disk : machine.disks) {
      if (disk.is_sealed()) continue;
      ++unsealed.images;
      unsealed.bytes += disk.file.size;
    }
  }
  return unsealed;
}

}  // namespace

Result<package::VerifyReport> seal_package(const Path& directory, const Clock& clock, JobContext& job,
                                           const package::VerifyOptions& options) {
  COHORT_ASSIGN(auto report, verify_package(directory, job, options));
  const Unsealed unsealed = unsealed_of(report.manifest);
  if (unsealed.images == 0 || !std::ranges::all_of(report.problems, is_mended_by_sealing)) return report;
  COHORT_ASSIGN(const auto step, job.will_undo(UndoKind::kUndoSeal, std::filesystem::absolute(directory).string()));
  job.set_phase("sealing the package");
  job.set_done(0);
  job.set_total(unsealed.bytes);
  COHORT_ASSIGN(report.manifest,
                package::seal(directory, clock.wall(), job.stop(), [&](std::uint64_t bytes) { job.add_done(bytes); }));
  COHORT_TRY(job.will_keep(step));
  report.problems.clear();
  report.sealed = unsealed.images;
  report.files += unsealed.images;  // the lists of block hashes
  report.bytes += unsealed.bytes;
  return report;
}

}  // namespace cohort::service
