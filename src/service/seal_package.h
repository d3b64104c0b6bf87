// Gives the disks of a package the hashes that it was exported without.
#pragma once

#include "base/clock.h"
#include "base/file.h"
#include "package/verify.h"
#include "service/job_context.h"

namespace cohort::service {

// verify_package; then, if nothing else is wrong but that images have no hash (what an interrupted seal has left is no
// more than that), package::seal. The report is of the package as it is afterwards; `sealed` says how many images were
// hashed.
[[nodiscard]] Result<package::VerifyReport> seal_package(const Path& directory, const Clock& clock, JobContext& job,
                                                         const package::VerifyOptions& options = {});

}  // namespace cohort::service
