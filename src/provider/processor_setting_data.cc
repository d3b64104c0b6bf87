#include "provider/processor_setting_data.h"

#include "provider/machine_part.h"

namespace cohort::provider {
namespace {

// Under which Windows knows a machine's processors.
constexpr std::string_view kProcessor = "b637f346-6a0e-4dec-af52-bd70cb80a21d\\0";

}  // namespace

std::vector<cim::Instance> processor_settings(const MachineConfiguration& configuration) {
  const MachineHardware& hardware = configuration.hardware;
  cim::Instance processor = part("Msvm_ProcessorSettingData", part_id(configuration, kProcessor), "Processor");
  processor.set("VirtualQuantity", cim::Value(std::uint64_t{hardware.processors}));
  if (hardware.threads_per_core > 0) {
    processor.set("HwThreadsPerCore", cim::Value(std::uint64_t{hardware.threads_per_core}));
  }
  return {std::move(processor)};
}

}  // namespace cohort::provider
