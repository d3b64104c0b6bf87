#include "provider/memory_setting_data.h"

#include "provider/machine_part.h"

namespace cohort::provider {
namespace {

// Under which Windows knows a machine's memory.
constexpr std::string_view kMemory = "4764334d-e001-4176-82ee-5594ec9b530e";
constexpr std::uint64_t kMebi = std::uint64_t{1} << 20;

}  // namespace

std::vector<cim::Instance> memory_settings(const MachineConfiguration& configuration) {
  const MachineHardware& hardware = configuration.hardware;
  cim::Instance memory = part("Msvm_MemorySettingData", part_id(configuration, kMemory), "Memory");
  memory.set("VirtualQuantity", cim::Value(hardware.memory_at_start / kMebi));
  memory.set("Reservation", cim::Value(hardware.memory_at_start / kMebi));
  memory.set("Limit", cim::Value(hardware.memory / kMebi));
  memory.set("DynamicMemoryEnabled", cim::Value(hardware.memory_at_start < hardware.memory));
  memory.set("HugePagesEnabled", cim::Value(hardware.has_huge_pages));
  memory.set("SgxEnabled", cim::Value(false));
  return {std::move(memory)};
}

}  // namespace cohort::provider
