// Checks that a package is whole.
#pragma once

#include "base/file.h"
#include "package/verify.h"
#include "service/job_context.h"

namespace cohort::service {

// Reads every byte of the package; see package::verify for what is checked. A package that is not whole is no failure
// of the job: the report says what is wrong. Fails if the folder is not a package or cannot be read.
[[nodiscard]] Result<package::VerifyReport> verify_package(const Path& directory, JobContext& job,
                                                           const package::VerifyOptions& options = {});

// What a report says of a package that is not whole, as an error: the first problem.
[[nodiscard]] Result<void> whole_or_error(const package::VerifyReport& report);

}  // namespace cohort::service
