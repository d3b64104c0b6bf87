#include "provider/host_instances.h"

#include <numeric>

#include "cim/schema.h"
#include "provider/paths.h"

namespace cohort::provider {
namespace {

using cim::Value;

constexpr std::uint64_t kKibi = 1024;
constexpr std::uint16_t kLinux = 36;  // Win32_OperatingSystem.OSType
constexpr const char* kNone = "None";

cim::Instance instance_of(std::string_view class_name) {
  cim::Instance instance;
  instance.class_name = class_name;
  return instance;
}

void set_text(cim::Instance& instance, std::string_view name, const std::string& text) {
  if (!text.empty()) instance.set(name, Value(text));
}

// A key has a value.
Value key_value(const std::string& text) { return text.empty() ? Value(kNone) : Value(text); }

std::string upper_case(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

// Win32_Processor.Architecture; nothing known of others.
std::optional<std::uint16_t> architecture_number(const std::string& architecture) {
  if (architecture == "x86_64") return 9;
  if (architecture == "i686") return 0;
  if (architecture == "aarch64") return 12;
  return std::nullopt;
}

bool is_64_bit(const std::string& architecture) { return architecture != "i686"; }

std::string processor_id(std::size_t number) { return "CPU" + std::to_string(number); }

cim::ObjectPath path_on_host(std::string_view class_name, std::string_view key, const std::string& value) {
  cim::ObjectPath path;
  path.namespace_name = cim::kHostNamespace;
  path.class_name = class_name;
  path.keys = {{std::string(key), Value(value)}};
  return path;
}

std::uint32_t all_threads(const HostFacts& facts) {
  return std::accumulate(facts.processors.begin(), facts.processors.end(), std::uint32_t{0},
                         [](std::uint32_t sum, const HostProcessor& each) { return sum + each.threads; });
}

}  // namespace

cim::Instance win32_computer_system(const HostFacts& facts, const std::string& host_name) {
  cim::Instance system = instance_of("Win32_ComputerSystem");
  const std::string short_name = host_name.substr(0, host_name.find('.'));
  system.set("CreationClassName", Value("Win32_ComputerSystem"));
  system.set("Name", Value(host_name));
  system.set("Caption", Value(host_name));
  system.set("DNSHostName", Value(short_name));
  if (short_name.size() < host_name.size()) {
    system.set("Domain", Value(host_name.substr(short_name.size() + 1)));
  }
  set_text(system, "Manufacturer", facts.maker);
  set_text(system, "Model", facts.model);
  system.set("NumberOfProcessors", Value(static_cast<std::uint32_t>(facts.processors.size())));
  system.set("NumberOfLogicalProcessors", Value(all_threads(facts)));
  system.set("TotalPhysicalMemory", Value(facts.memory));
  system.set("SystemType", Value(facts.architecture == "x86_64" ? "x64-based PC" : facts.architecture));
  system.set("Status", Value("OK"));
  return system;
}

cim::Instance win32_computer_system_product(const HostFacts& facts) {
  cim::Instance product = instance_of("Win32_ComputerSystemProduct");
  product.set("Caption", Value("Computer System Product"));
  product.set("Description", Value("Computer System Product"));
  product.set("IdentifyingNumber", key_value(facts.serial));
  product.set("Name", key_value(facts.model));
  product.set("Version", key_value(facts.model_version));
  set_text(product, "Vendor", facts.maker);
  set_text(product, "UUID", upper_case(facts.uuid));
  return product;
}

cim::Instance win32_operating_system(const HostFacts& facts, const std::string& host_name, WallTime now) {
  cim::Instance os = instance_of("Win32_OperatingSystem");
  os.set("CreationClassName", Value("Win32_OperatingSystem"));
  os.set("CSCreationClassName", Value("Win32_ComputerSystem"));
  os.set("CSName", Value(host_name));
  os.set("Name", key_value(facts.os_name));
  set_text(os, "Caption", facts.os_name);
  os.set("OSType", Value(kLinux));
  set_text(os, "Version", facts.kernel.substr(0, facts.kernel.find_first_not_of("0123456789.")));
  set_text(os, "BuildNumber", facts.kernel);
  os.set("OSArchitecture", Value(is_64_bit(facts.architecture) ? "64-bit" : "32-bit"));
  os.set("TotalVisibleMemorySize", Value(facts.memory / kKibi));
  os.set("FreePhysicalMemory", Value(facts.free_memory / kKibi));
  os.set("SizeStoredInPagingFiles", Value(facts.swap / kKibi));
  os.set("FreeSpaceInPagingFiles", Value(facts.free_swap / kKibi));
  os.set("TotalVirtualMemorySize", Value((facts.memory + facts.swap) / kKibi));
  os.set("FreeVirtualMemory", Value((facts.free_memory + facts.free_swap) / kKibi));
  if (facts.booted) os.set("LastBootUpTime", Value(cim::Datetime::at(*facts.booted)));
  os.set("LocalDateTime", Value(cim::Datetime::at(now)));
  os.set("Primary", Value(true));
  os.set("Status", Value("OK"));
  return os;
}

std::vector<cim::Instance> win32_processors(const HostFacts& facts, const std::string& host_name) {
  std::vector<cim::Instance> all;
  const auto architecture = architecture_number(facts.architecture);
  const std::uint16_t width = is_64_bit(facts.architecture) ? 64 : 32;
  for (const HostProcessor& socket : facts.processors) {
    cim::Instance processor = instance_of("Win32_Processor");
    const std::string id = processor_id(all.size());
    processor.set("CreationClassName", Value("Win32_Processor"));
    processor.set("SystemCreationClassName", Value("Win32_ComputerSystem"));
    processor.set("SystemName", Value(host_name));
    processor.set("DeviceID", Value(id));
    processor.set("SocketDesignation", Value(id));
    processor.set("Name", Value(socket.model.empty() ? facts.architecture : socket.model));
    set_text(processor, "Manufacturer", socket.maker);
    if (architecture) processor.set("Architecture", Value(*architecture));
    processor.set("AddressWidth", Value(width));
    processor.set("DataWidth", Value(width));
    processor.set("NumberOfCores", Value(socket.cores));
    processor.set("NumberOfLogicalProcessors", Value(socket.threads));
    if (socket.megahertz > 0) {
      processor.set("MaxClockSpeed", Value(socket.megahertz));
      processor.set("CurrentClockSpeed", Value(socket.megahertz));
    }
    processor.set("Status", Value("OK"));
    all.push_back(std::move(processor));
  }
  return all;
}

std::vector<cim::Instance> processors_of_host(const HostFacts& facts, const std::string& host_name) {
  std::vector<cim::Instance> pairs;
  for (std::size_t i = 0; i < facts.processors.size(); ++i) {
    pairs.push_back(pair_of("Win32_ComputerSystemProcessor", "GroupComponent",
                            path_on_host("Win32_ComputerSystem", "Name", host_name), "PartComponent",
                            path_on_host("Win32_Processor", "DeviceID", processor_id(i))));
  }
  return pairs;
}

cim::Instance machine_service_file(const std::string& host_name, const std::string& version) {
  cim::Instance file = instance_of("CIM_DataFile");
  const std::string name = R"(c:\windows\system32\vmms.exe)";
  file.set("CreationClassName", Value("CIM_LogicalFile"));
  file.set("CSCreationClassName", Value("Win32_ComputerSystem"));
  file.set("CSName", Value(host_name));
  file.set("Caption", Value(name));
  file.set("Description", Value(name));
  file.set("Name", Value(name));
  file.set("Drive", Value("c:"));
  file.set("Path", Value(R"(\windows\system32\)"));
  file.set("FileName", Value("vmms"));
  file.set("Extension", Value("exe"));
  file.set("Version", Value(version));
  return file;
}

}  // namespace cohort::provider
