#include "hypervisor/throwaway_xml.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "hypervisor/xml_document.h"

namespace cohort::hypervisor {
namespace {

// What a guest sees of an interface; all else describes the host's end.
constexpr std::array<std::string_view, 8> kGuestSide = {"mac", "model",   "alias", "boot",
                                                        "rom", "address", "acpi",  "driver"};
// Of <driver>: how the device reaches the guest's memory. The rest sets up the host's end.
constexpr std::array<std::string_view, 4> kDeviceOptions = {"iommu", "ats", "packed", "page_per_vq"};

template <typename Names>
bool is_one_of(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void keep_device_options(xmlNode* driver) {
  for (xmlAttr* attr = driver->properties; attr != nullptr;) {
    const std::string name = xml::from_xml(attr->name);
    attr = attr->next;
    if (!is_one_of(kDeviceOptions, name)) xml::remove_attribute(driver, name);
  }
  for (xmlNode* below : xml::children(driver)) xml::remove(below);
}

void keep_guest_side(xmlNode* interface) {
  for (xmlNode* each : xml::children(interface)) {
    if (!is_one_of(kGuestSide, xml::name_of(each))) {
      xml::remove(each);
    } else if (xml::name_of(each) == "driver") {
      keep_device_options(each);
    }
  }
  for (const char* name : {"managed", "trustGuestRxFilters"}) xml::remove_attribute(interface, name);
}

void attach(xmlNode* interface, const std::string& network) {
  keep_guest_side(interface);
  if (!network.empty()) {
    xml::set_attribute(interface, "type", "network");
    xml::set_attribute(xml::add_child(interface, "source"), "network", network);
    return;
  }
  // Not type 'null': libvirtd 9.0 dies of it. QEMU hands on nothing over a link that is down, in either direction.
  xml::set_attribute(interface, "type", "user");
  xml::set_attribute(xml::add_child(interface, "link"), "state", "down");
}

// A try needs no more of its files than that they are fast, and a folder in memory knows no direct access.
void set_cache(xmlNode* disk) {
  xmlNode* const driver = xml::child_or_new(disk, "driver");
  xml::set_attribute(driver, "cache", "unsafe");
  xml::remove_attribute(driver, "io");
}

// The chain is told to its end, so that nobody looks for it in the headers of the images.
void add_backing(xmlNode* disk, const std::string& target, const std::vector<service::ThrowawayBacking>& layers) {
  xml::remove_children(disk, "backingStore");
  xmlNode* backing = xml::add_child(disk, "backingStore");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    xml::set_attribute(backing, "type", "file");
    xml::set_attribute(xml::add_child(backing, "format"), "type", layers[i].file.format);
    xmlNode* const source = xml::add_child(backing, "source");
    xml::set_attribute(source, "file", layers[i].file.path.string());
    xml::set_attribute(source, "fdgroup", backing_group(target, i));
    backing = xml::add_child(backing, "backingStore");
  }
}

// UEFI keeps variables, unless its loader is a plain ROM or has none.
bool has_firmware_variables(xmlNode* domain) {
  for (const xmlNode* loader : xml::select(domain, {"os", "loader"})) {
    if (xml::has_value(loader, "type", "rom") || xml::has_value(loader, "stateless", "yes")) return false;
    if (xml::has_value(loader, "type", "pflash")) return true;
  }
  const auto systems = xml::children(domain, "os");
  return std::ranges::any_of(systems, [](const xmlNode* os) { return xml::has_value(os, "firmware", "efi"); });
}

// libvirt makes the file that is named; a machine without variables cannot have one.
void drop_needless_variables(xmlNode* domain) {
  if (has_firmware_variables(domain)) return;
  for (xmlNode* nvram : xml::select(domain, {"os", "nvram"})) xml::remove(nvram);
}

// Else libvirt would keep the state of a machine that is gone.
void drop_tpm_state(xmlNode* domain) {
  for (xmlNode* tpm : xml::select(domain, {"devices", "tpm", "backend"})) {
    xml::remove_attribute(tpm, "persistent_state");
  }
}

Result<void> check_writable(const Path& path) {
  if (xml::is_writable(path.string())) return {};
  return fail(ErrorCode::kInvalidArgument,
              "The path \"{}\" cannot be written to a machine configuration: it is not UTF-8, or has control "
              "characters.",
              path.string());
}

}  // namespace

std::string backing_group(const std::string& target, std::size_t layer) {
  return fmt::format("backing-{}-{}", target, layer);
}

Result<std::string> definition_for_try(const std::string& imported, const service::ThrowawayMachine& machine) {
  COHORT_ASSIGN(const auto document, xml::Document::parse(imported, "domain"));
  for (const auto& layers : machine.backing) {
    for (const auto& backing : layers) COHORT_TRY(check_writable(backing.file.path));
  }
  for (xmlNode* disk : xml::select(document.root(), {"devices", "disk"})) {
    const std::string target = xml::attribute_or(xml::child(disk, "target"), "dev", "");
    for (std::size_t i = 0; i < machine.backing.size(); ++i) {
      if (machine.definition.disks.at(i).target != target) continue;
      set_cache(disk);
      add_backing(disk, target, machine.backing[i]);
    }
  }
  drop_needless_variables(document.root());
  drop_tpm_state(document.root());
  for (xmlNode* interface : xml::select(document.root(), {"devices", "interface"})) attach(interface, machine.network);
  return document.str();
}

}  // namespace cohort::hypervisor
