// The two families of return codes that Hyper-V's methods have.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "cim/operation.h"
#include "domain/job.h"

namespace cohort::provider {

enum class CodeFamily {
  kSnapshots,   // snapshot and reference point services: 1 not supported, 2 failed, … 6 invalid type
  kManagement,  // collection management, virtual system management, jobs' GetError: 32768 failed, …
};

inline constexpr std::uint32_t kNoError = 0;
inline constexpr std::uint32_t kJobStarted = 4096;  // "Method Parameters Checked - Job Started"
inline constexpr std::uint32_t kInvalidType = 6;    // of kSnapshots

[[nodiscard]] std::uint32_t return_code(ErrorCode code, CodeFamily family);

[[nodiscard]] cim::MethodResult returned(std::uint32_t code, std::vector<cim::NamedValue> out = {});
// kJobStarted, with the job's path as the parameter Job.
[[nodiscard]] cim::MethodResult started(const Job& job);

}  // namespace cohort::provider
