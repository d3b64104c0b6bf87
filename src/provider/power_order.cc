#include "provider/power_order.h"

namespace cohort::provider {
namespace {

constexpr std::uint32_t kAccessDeniedCode = 32769;

std::uint32_t code_of(ErrorCode error, std::uint32_t in_use) {
  if (error == ErrorCode::kPermission) return kAccessDeniedCode;
  // What the hypervisor could not do is a state in which it cannot be done, too.
  return error == ErrorCode::kInUse ? in_use : kInvalidStateCode;
}

}  // namespace

Result<cim::MethodResult> outcome_of_order(const Result<void>& done, std::uint32_t in_use, const MethodCall& call,
                                           const ServiceSurroundings& surroundings) {
  if (done) return returned(kNoError);
  if (surroundings.on_refusal) surroundings.on_refusal(call, done.error());
  if (done.error().code == ErrorCode::kNotFound) return Failure(done.error());
  return returned(code_of(done.error().code, in_use));
}

}  // namespace cohort::provider
