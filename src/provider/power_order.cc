#include "provider/power_order.h"

namespace cohort::provider {
namespace {

constexpr std::uint32_t kAccessDeniedCode = 32769;
constexpr std::uint32_t kInvalidStateCode = 32775;

}  // namespace

Result<cim::MethodResult> outcome_of_order(const Result<void>& done, const MethodCall& call,
                                           const ServiceSurroundings& surroundings) {
  if (done) return returned(kNoError);
  if (surroundings.on_refusal) surroundings.on_refusal(call, done.error());
  if (done.error().code == ErrorCode::kNotFound) return Failure(done.error());
  // Msvm_ComputerSystem has no other codes: what the hypervisor could not do is a state in which it cannot be done,
  // too.
  return returned(done.error().code == ErrorCode::kPermission ? kAccessDeniedCode : kInvalidStateCode);
}

}  // namespace cohort::provider
