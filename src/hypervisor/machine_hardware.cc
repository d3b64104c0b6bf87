#include "hypervisor/machine_hardware.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "hypervisor/domain_xml.h"
#include "hypervisor/xml_document.h"

namespace cohort::hypervisor {
namespace {

using xml::attribute;
using xml::attribute_or;
using xml::child;
using xml::has_value;
using xml::select;

constexpr std::size_t kMaxKey = 64;  // longer than any target or address
constexpr std::uint64_t kKilo = 1000;
constexpr std::uint64_t kKibi = 1024;
// libvirt's names of units of memory; without one it is KiB.
constexpr std::array<std::pair<std::string_view, std::uint64_t>, 16> kUnits = {{
    {"b", 1},
    {"bytes", 1},
    {"KB", kKilo},
    {"k", kKibi},
    {"KiB", kKibi},
    {"MB", kKilo* kKilo},
    {"M", kKibi* kKibi},
    {"MiB", kKibi* kKibi},
    {"GB", kKilo* kKilo* kKilo},
    {"G", kKibi* kKibi* kKibi},
    {"GiB", kKibi* kKibi* kKibi},
    {"TB", kKilo* kKilo* kKilo* kKilo},
    {"T", kKibi* kKibi* kKibi* kKibi},
    {"TiB", kKibi* kKibi* kKibi* kKibi},
    {"PiB", kKibi* kKibi* kKibi* kKibi* kKibi},
    {"EiB", kKibi* kKibi* kKibi* kKibi* kKibi* kKibi},
}};

// 0 for what is no number, or too large.
template <typename T>
T number_in(std::string_view text) {
  const auto first = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  text.remove_prefix(first);
  T number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? number : T{0};
}

std::uint64_t bytes_in(const xmlNode* element) {
  if (element == nullptr) return 0;
  const std::string unit = attribute_or(element, "unit", "KiB");
  const auto* const known = std::ranges::find(kUnits, unit, [](const auto& each) { return each.first; });
  const auto amount = number_in<std::uint64_t>(xml::text(element));
  if (known == kUnits.end() || amount > std::numeric_limits<std::uint64_t>::max() / known->second) return 0;
  return amount * known->second;
}

// At most as many bytes as MachineHardware says, and whole characters.
std::string bounded(std::string text) {
  std::size_t end = MachineHardware::kMaxText;
  if (text.size() <= end) return text;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  text.resize(end);
  return text;
}

DriveKind kind_of(const DomainDisk& disk) {
  if (disk.device == "cdrom") return DriveKind::kCdrom;
  return disk.device == "floppy" ? DriveKind::kFloppy : DriveKind::kDisk;
}

// What clients can know a device by.
bool is_key(std::string_view text) { return !text.empty() && text.size() <= kMaxKey; }

std::optional<BootDevice> boot_device(std::string_view name) {
  if (name == "fd") return BootDevice::kFloppy;
  if (name == "cdrom") return BootDevice::kCdrom;
  if (name == "hd") return BootDevice::kDisk;
  if (name == "network") return BootDevice::kNetwork;
  return std::nullopt;
}

std::string connection_of(const xmlNode* interface) {
  const xmlNode* const source = child(interface, "source");
  for (const char* name : {"network", "bridge", "dev", "path", "name"}) {
    if (auto value = attribute(source, name)) return *std::move(value);
  }
  return {};
}

class HardwareReader {
 public:
  explicit HardwareReader(xmlNode* domain) : domain_(domain) {}

  MachineHardware read(const DomainDescription& description) {
    hardware_.id = description.id;
    hardware_.name = bounded(description.name);
    hardware_.description = bounded(xml::text(child(domain_, "description")));
    read_platform();
    read_resources();
    for (const DomainDisk& disk : description.disks) add(disk);
    for (const xmlNode* interface : select(domain_, {"devices", "interface"})) add_card(interface);
    return std::move(hardware_);
  }

 private:
  void read_platform() {
    const xmlNode* const os = child(domain_, "os");
    const xmlNode* const type = child(os, "type");
    hardware_.architecture = bounded(attribute_or(type, "arch", ""));
    hardware_.machine_type = bounded(attribute_or(type, "machine", ""));
    const xmlNode* const loader = child(os, "loader");
    hardware_.has_uefi = has_value(os, "firmware", "efi") || has_value(loader, "type", "pflash");
    hardware_.has_secure_boot = has_value(loader, "secure", "yes");
    for (const xmlNode* boot : select(domain_, {"os", "boot"})) {
      const auto device = boot_device(attribute_or(boot, "dev", ""));
      if (device && hardware_.boot_order.size() < MachineHardware::kMaxDevices) hardware_.boot_order.push_back(*device);
    }
  }

  void read_resources() {
    hardware_.memory = bytes_in(child(domain_, "memory"));
    const xmlNode* const current = child(domain_, "currentMemory");
    hardware_.memory_at_start = current == nullptr ? hardware_.memory : bytes_in(current);
    hardware_.has_huge_pages = !select(domain_, {"memoryBacking", "hugepages"}).empty();
    const xmlNode* const processors = child(domain_, "vcpu");
    const auto now = attribute(processors, "current");
    hardware_.processors = number_in<std::uint32_t>(now ? *now : xml::text(processors));
    const auto topology = select(domain_, {"cpu", "topology"});
    if (!topology.empty()) {
      hardware_.threads_per_core = number_in<std::uint32_t>(attribute_or(topology.front(), "threads", ""));
    }
  }

  void add(const DomainDisk& disk) {
    if (!is_key(disk.target) || hardware_.drives.size() == MachineHardware::kMaxDevices) return;
    if (!keys_.insert("drive " + disk.target).second) return;
    hardware_.drives.push_back(
        {disk.target, kind_of(disk), bounded(disk.bus), bounded(disk.source), disk.is_readonly, disk.is_shareable});
  }

  void add_card(const xmlNode* interface) {
    const std::string mac = attribute_or(child(interface, "mac"), "address", "");
    if (!is_key(mac) || hardware_.cards.size() == MachineHardware::kMaxDevices) return;
    if (!keys_.insert("card " + mac).second) return;
    hardware_.cards.push_back({mac, bounded(attribute_or(child(interface, "model"), "type", "")),
                               bounded(connection_of(interface)),
                               !has_value(child(interface, "link"), "state", "down")});
  }

  xmlNode* domain_;
  MachineHardware hardware_;
  std::set<std::string> keys_;
};

}  // namespace

Result<MachineHardware> read_hardware(const std::string& xml) {
  COHORT_ASSIGN(const DomainDescription description, read_domain(xml));
  COHORT_ASSIGN(const auto document, xml::Document::parse(xml, "domain"));
  return HardwareReader(document.root()).read(description);
}

}  // namespace cohort::hypervisor
