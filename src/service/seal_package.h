// Gives the disks of a package the hashes that it was exported without.
#pragma once

#include "base/clock.h"
#include "base/file.h"
#include "package/verify.h"
#include "service/job_context.h"

namespace cohort::service {

// verify_package; then, if nothing is wrong but that images of the package itself have no hash, package::seal. The
// report is of the package as it is afterwards; `sealed` says how many images were hashed. Crash: recovery takes back
// what was begun (kUndoSeal).
[[nodiscard]] Result<package::VerifyReport> seal_package(const Path& directory, const Clock& clock, JobContext& job,
                                                         const package::VerifyOptions& options = {});

}  // namespace cohort::service
