#include "service/seal_package.h"

#include <algorithm>

#include "package/seal.h"
#include "service/verify_package.h"

namespace cohort::service {
namespace {

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

// Those of the package itself: what a parent lacks is not mended here.
bool lacks_only_hashes(const package::VerifyReport& report, const Unsealed& unsealed) {
  const auto is_unsealed = [](const auto& problem) { return problem.kind == package::ProblemKind::kUnsealed; };
  return report.problems.size() == unsealed.images && std::ranges::all_of(report.problems, is_unsealed);
}

// A list of block hashes that was there already was none of the package's files before.
void leave_out_lists(package::VerifyReport& report) {
  for (const auto& machine : report.manifest.machines) {
    for (const auto& disk : machine.disks) {
      if (!disk.block_hashes) continue;
      std::erase_if(report.notes, [&](const auto& note) { return note.file == disk.block_hashes->file; });
    }
  }
}

}  // namespace

Result<package::VerifyReport> seal_package(const Path& directory, const Clock& clock, JobContext& job,
                                           const package::VerifyOptions& options) {
  COHORT_ASSIGN(auto report, verify_package(directory, job, options));
  const Unsealed unsealed = unsealed_of(report.manifest);
  if (unsealed.images == 0 || !lacks_only_hashes(report, unsealed)) return report;
  COHORT_ASSIGN(const auto step, job.will_undo(UndoKind::kUndoSeal, std::filesystem::absolute(directory).string()));
  job.set_phase("sealing the package");
  job.set_done(0);
  job.set_total(unsealed.bytes);
  COHORT_ASSIGN(report.manifest, package::seal(directory, report.manifest, clock.wall(), job.stop(),
                                               [&](std::uint64_t bytes) { job.add_done(bytes); }));
  COHORT_TRY(job.will_keep(step));
  report.problems.clear();
  report.sealed = unsealed.images;
  report.bytes += unsealed.bytes;
  leave_out_lists(report);
  return report;
}

}  // namespace cohort::service
