#include "domain/machine.h"

#include "domain/named_value.h"

namespace cohort {
namespace {

constexpr std::array<NamedValue<PowerState>, 4> kPowerStates{{
    {PowerState::kRunning, "running"},
    {PowerState::kPaused, "paused"},
    {PowerState::kOff, "off"},
    {PowerState::kOther, "other"},
}};

constexpr std::array<NamedValue<LeftOutReason>, 7> kLeftOutReasons{{
    {LeftOutReason::kCdrom, "cdrom"},
    {LeftOutReason::kReadOnly, "read-only"},
    {LeftOutReason::kPassThrough, "pass-through"},
    {LeftOutReason::kShareable, "shareable"},
    {LeftOutReason::kNotAFile, "not-a-file"},
    {LeftOutReason::kTransient, "transient"},
    {LeftOutReason::kNotChosen, "not-chosen"},
}};

}  // namespace

std::string_view to_string(PowerState state) { return name_of(kPowerStates, state); }
Result<PowerState> power_state_from(std::string_view name) { return value_of(kPowerStates, name, "power state"); }

std::string_view to_string(LeftOutReason reason) { return name_of(kLeftOutReasons, reason); }
Result<LeftOutReason> left_out_reason_from(std::string_view name) {
  return value_of(kLeftOutReasons, name, "reason to leave a disk out");
}
bool is_harmless(LeftOutReason reason) { return reason == LeftOutReason::kCdrom || reason == LeftOutReason::kReadOnly; }

}  // namespace cohort
