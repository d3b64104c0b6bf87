// An administrator's order about a machine's power, and the code that answers it.
#pragma once

#include "base/result.h"
#include "provider/service_provider.h"
#include "service/change_power.h"

namespace cohort::provider {

// 0: it is done, or the guest has been asked; 32769: the hypervisor does not let Cohort; 32775 for all else, which is
// told to on_refusal. kNotFound is an error: the machine was there when the broker looked.
[[nodiscard]] Result<cim::MethodResult> outcome_of_order(const Result<void>& done, const MethodCall& call,
                                                         const ServiceSurroundings& surroundings);

}  // namespace cohort::provider
