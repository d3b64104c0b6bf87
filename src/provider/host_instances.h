// The host as root/cimv2 shows it: Win32_ComputerSystem and its like, by the names that Windows' clients ask for.
#pragma once

#include <string>
#include <vector>

#include "cim/value.h"
#include "provider/host_facts.h"

namespace cohort::provider {

[[nodiscard]] cim::Instance win32_computer_system(const HostFacts& facts, const std::string& host_name);
[[nodiscard]] cim::Instance win32_computer_system_product(const HostFacts& facts);
// Version is the kernel's, without what a distribution adds: "6.1.0".
[[nodiscard]] cim::Instance win32_operating_system(const HostFacts& facts, const std::string& host_name, WallTime now);
[[nodiscard]] std::vector<cim::Instance> win32_processors(const HostFacts& facts, const std::string& host_name);
// Which processors the host has: Win32_ComputerSystemProcessor.
[[nodiscard]] std::vector<cim::Instance> processors_of_host(const HostFacts& facts, const std::string& host_name);
// The one file that clients look at to learn which Hyper-V this is, with the hypervisor's version.
[[nodiscard]] cim::Instance machine_service_file(const std::string& host_name, const std::string& version);

}  // namespace cohort::provider
