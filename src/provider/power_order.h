// An administrator's order about a machine's power, and the code that answers it.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "provider/service_provider.h"
#include "service/change_power.h"

namespace cohort::provider {

inline constexpr std::uint32_t kInUseCode = 32774;
inline constexpr std::uint32_t kInvalidStateCode = 32775;

// 0: it is done, or the guest has been asked; 32769: the hypervisor does not let Cohort; `in_use`: a snapshot is being
// taken of it; 32775 for all else. What was refused is told to on_refusal. kNotFound is an error: the machine was there
// when the broker looked.
[[nodiscard]] Result<cim::MethodResult> outcome_of_order(const Result<void>& done, std::uint32_t in_use,
                                                         const MethodCall& call,
                                                         const ServiceSurroundings& surroundings);

}  // namespace cohort::provider
