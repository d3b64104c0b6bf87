#include "hypervisor/domain_xml.h"

#include <algorithm>
#include <utility>

#include "hypervisor/xml_document.h"

namespace cohort::hypervisor {
namespace {

using xml::attribute;
using xml::attribute_or;
using xml::child;
using xml::child_or_new;
using xml::children;
using xml::has_value;
using xml::is_writable;
using xml::remove;
using xml::remove_attribute;
using xml::remove_children;
using xml::select;
using xml::set_attribute;
using xml::set_text;
using xml::text;

constexpr std::string_view kRoot = "domain";

// --- reading ---

// What names a source that is no file, for people.
std::string source_for_people(const xmlNode* source, const std::string& type) {
  if (type == "network") {
    return attribute_or(source, "protocol", "") + ":" + attribute_or(source, "name", "");
  }
  if (type == "volume") {
    return attribute_or(source, "pool", "") + "/" + attribute_or(source, "volume", "");
  }
  for (const char* name : {"file", "dev", "dir", "path"}) {
    if (const auto value = attribute(source, name)) {
      return *value;
    }
  }
  return {};
}

std::string source_of(const xmlNode* disk, const std::string& type) {
  const xmlNode* const source = child(disk, "source");
  if (source == nullptr) {
    return {};
  }
  return type == "file" ? attribute_or(source, "file", "") : source_for_people(source, type);
}

// Follows the nested <backingStore> elements as far as they are files.
void read_backing(const xmlNode* element, DomainDisk& disk) {
  for (element = child(element, "backingStore"); element != nullptr; element = child(element, "backingStore")) {
    if (children(element).empty()) {
      disk.backing_is_complete = true;
      return;
    }
    const auto file = attribute(child(element, "source"), "file");
    if (!has_value(element, "type", "file") || !file) {
      return;
    }
    disk.backing.push_back({*file, attribute_or(child(element, "format"), "type", "raw")});
  }
}

DomainDisk read_disk(const xmlNode* element) {
  DomainDisk disk;
  disk.target = attribute_or(child(element, "target"), "dev", "");
  disk.bus = attribute_or(child(element, "target"), "bus", "");
  disk.alias = attribute_or(child(element, "alias"), "name", "");
  disk.device = attribute_or(element, "device", "disk");
  disk.type = attribute_or(element, "type", "file");
  disk.source = source_of(element, disk.type);
  disk.format = attribute_or(child(element, "driver"), "type", "raw");
  disk.is_readonly = child(element, "readonly") != nullptr;
  disk.is_shareable = child(element, "shareable") != nullptr;
  disk.is_transient = child(element, "transient") != nullptr;
  disk.has_mirror = child(element, "mirror") != nullptr;
  read_backing(element, disk);
  return disk;
}

// <nvram>path</nvram>, or <nvram type='file'><source file='path'/></nvram>.
std::optional<Path> read_nvram(xmlNode* domain) {
  for (const xmlNode* nvram : select(domain, {"os", "nvram"})) {
    const xmlNode* const source = child(nvram, "source");
    const std::string path = source == nullptr ? text(nvram) : attribute_or(source, "file", "");
    if (!path.empty()) return path;
  }
  return std::nullopt;
}

bool read_has_emulated_tpm(xmlNode* domain) {
  const auto backends = select(domain, {"devices", "tpm", "backend"});
  return std::any_of(backends.begin(), backends.end(),
                     [](const xmlNode* backend) { return has_value(backend, "type", "emulator"); });
}

bool read_has_agent_channel(xmlNode* domain) {
  const auto targets = select(domain, {"devices", "channel", "target"});
  return std::ranges::any_of(targets, [](const xmlNode* target) {
    return has_value(target, "type", "virtio") && has_value(target, "name", "org.qemu.guest_agent.0");
  });
}

xmlNode* find_disk(xmlNode* domain, const std::string& target) {
  for (xmlNode* disk : select(domain, {"devices", "disk"})) {
    if (has_value(child(disk, "target"), "dev", target)) return disk;
  }
  return nullptr;
}

// --- writing ---

Result<void> check_writable(const std::string& value) {
  if (!is_writable(value)) {
    return fail(ErrorCode::kInvalidArgument,
                "The name or path \"{}\" cannot be written to a machine configuration: it is not UTF-8, or has control "
                "characters.",
                value);
  }
  return {};
}

void set_driver_format(xmlNode* disk, const std::string& format) {
  xmlNode* const driver = child_or_new(disk, "driver");
  if (!attribute(driver, "name")) {
    set_attribute(driver, "name", "qemu");
  }
  set_attribute(driver, "type", format);
}

// Keeps what else the element <source> of a file says (labels, start-up policy), but not the index, which libvirt gives
// anew each time.
void set_source_file(xmlNode* disk, const std::string& file) {
  if (!has_value(disk, "type", "file")) {
    remove_children(disk, "source");
    set_attribute(disk, "type", "file");
  }
  xmlNode* const source = child_or_new(disk, "source");
  remove_attribute(source, "index");
  set_attribute(source, "file", file);
}

void add_disk_snapshot(xmlNode* disks, const std::string& target, const DiskSnapshot* disk) {
  xmlNode* const element = xml::add_child(disks, "disk");
  set_attribute(element, "name", target);
  if (disk == nullptr) {
    set_attribute(element, "snapshot", "no");
    return;
  }
  set_attribute(element, "snapshot", "external");
  set_attribute(element, "type", "file");
  set_attribute(xml::add_child(element, "driver"), "type", "qcow2");
  set_attribute(xml::add_child(element, "source"), "file", disk->overlay.string());
}

// --- import ---

// Turns the definition of one machine into that of another that can stand beside it. Every occurrence of an element is
// edited, not only the first: the text may come from a stranger.
class ImportEdit {
 public:
  ImportEdit(xmlNode* domain, const service::DefineMachineRequest& request, const MachineId& id)
      : domain_(domain), request_(request), id_(id), keeps_ids_(request.id.has_value()) {}

  Result<void> apply() {
    COHORT_TRY(check_request());
    set_identity();
    drop_runtime_state();
    set_firmware_variables();
    COHORT_TRY(replace_disks());
    replace_interfaces();
    replace_character_devices();
    replace_graphics();
    if (!keeps_ids_) {
      renew_vsock();
    }
    return {};
  }

 private:
  Result<void> check_request() const {
    COHORT_TRY(check_writable(request_.name));
    COHORT_TRY(check_writable(request_.nvram.value_or(Path()).string()));
    for (const service::ImportedDisk& disk : request_.disks) {
      COHORT_TRY(check_writable(disk.file.path.string()));
      COHORT_TRY(check_writable(disk.file.format));
    }
    return {};
  }

  void set_identity() {
    replace_all("name", request_.name);
    replace_all("uuid", id_.str());
    // The guest shall see that it is a copy, also when its UUID stays: that is what a generation id is for.
    if (child(domain_, "genid") != nullptr) {
      replace_all("genid", Uuid::generate().str());
    }
    // libvirt refuses a system UUID that differs from the machine's.
    for (xmlNode* entry : select(domain_, {"sysinfo", "system", "entry"})) {
      if (has_value(entry, "name", "uuid")) {
        set_text(entry, id_.str());
      }
    }
  }

  void replace_all(const std::string& name, const std::string& value) {
    child_or_new(domain_, name);
    for (xmlNode* node : children(domain_, name)) {
      set_text(node, value);
    }
  }

  void drop_runtime_state() {
    remove_attribute(domain_, "id");
    remove_children(domain_, "seclabel");
    for (xmlNode* partition : select(domain_, {"resource", "partition"})) {
      xmlNode* const resource = partition->parent;
      remove(partition);
      if (children(resource).empty()) {
        remove(resource);
      }
    }
    for (xmlNode* alias : select(domain_, {"devices", "", "alias"})) {
      // libvirt keeps only those that a user gave.
      if (!attribute_or(alias, "name", "").starts_with("ua-")) {
        remove(alias);
      }
    }
  }

  // Without a file from the package libvirt makes a fresh one from the template, at a path of its own.
  void set_firmware_variables() {
    for (xmlNode* nvram : select(domain_, {"os", "nvram"})) {
      remove_attribute(nvram, "type");
      set_text(nvram, "");
      if (request_.nvram) {
        set_text(nvram, request_.nvram->string());
      } else if (!attribute(nvram, "template")) {
        remove(nvram);
      }
    }
    if (request_.nvram && select(domain_, {"os", "nvram"}).empty()) {
      set_text(xml::add_child(child_or_new(domain_, "os"), "nvram"), request_.nvram->string());
    }
  }

  // --- disks ---

  Result<void> replace_disks() {
    for (const service::ImportedDisk& disk : request_.disks) {
      if (find_disk(domain_, disk.target) == nullptr) {
        return fail(ErrorCode::kNotFound, "The configuration of machine \"{}\" has no disk \"{}\".", request_.name,
                    disk.target);
      }
    }
    for (xmlNode* element : select(domain_, {"devices", "disk"})) {
      replace_disk(element);
    }
    return {};
  }

  void replace_disk(xmlNode* element) {
    const std::string target = attribute_or(child(element, "target"), "dev", "");
    const auto disk = std::find_if(request_.disks.begin(), request_.disks.end(),
                                   [&](const service::ImportedDisk& each) { return each.target == target; });
    if (disk != request_.disks.end()) {
      drop_storage(element);
      set_attribute(element, "device", "disk");
      set_driver_format(element, disk->file.format);
      set_source_file(element, disk->file.path.string());
    } else if (has_value(element, "device", "cdrom") || has_value(element, "device", "floppy")) {
      drop_storage(element);
      set_driver_format(element, "raw");
    } else {
      // Its content is not in the package, whether it could be written to or not.
      remove(element);
    }
  }

  // All that names or describes where the content was.
  static void drop_storage(xmlNode* disk) {
    for (const char* name : {"source", "backingStore", "mirror", "auth", "encryption", "transient", "shareable"}) {
      remove_children(disk, name);
    }
    if (!has_value(disk, "device", "cdrom")) {
      remove_children(disk, "readonly");
    }
    for (const char* name : {"rawio", "sgio", "snapshot"}) {
      remove_attribute(disk, name);
    }
    set_attribute(disk, "type", "file");
  }

  // --- network ---

  void replace_interfaces() {
    for (xmlNode* interface : select(domain_, {"devices", "interface"})) {
      if (!keeps_ids_) {
        remove_children(interface, "mac");
        for (xmlNode* parameters : select(interface, {"virtualport", "parameters"})) {
          remove_attribute(parameters, "interfaceid");
        }
      }
      drop_host_side(interface);
    }
  }

  // The names of the host's end. One chosen by hand stays only where the original will not be there beside it.
  void drop_host_side(xmlNode* interface) const {
    for (xmlNode* target : children(interface, "target")) {
      if (!keeps_ids_ || attribute_or(target, "dev", "").starts_with("vnet")) {
        remove(target);
      }
    }
    for (xmlNode* source : children(interface, "source")) {
      remove_attribute(source, "portid");
      if (has_value(interface, "type", "network")) {
        remove_attribute(source, "bridge");
      }
    }
  }

  // --- serial ports, consoles, channels ---

  void replace_character_devices() {
    for (const char* kind : {"serial", "parallel", "console", "channel"}) {
      std::size_t number = 0;
      for (xmlNode* device : select(domain_, {"devices", kind})) {
        // The first console is the first serial port under another name, and must show the same file.
        const bool is_serial_console =
            std::string_view(kind) == "console" && has_value(child(device, "target"), "type", "serial");
        const std::string label = fmt::format("{}{}", is_serial_console ? "serial" : kind, number++);
        replace_character_device(device, label);
      }
    }
  }

  // Nothing of the host that the original used is used again: paths of files, sockets and terminals.
  void replace_character_device(xmlNode* device, const std::string& label) {
    remove_attribute(device, "tty");
    remove_children(device, "log");
    for (xmlNode* target : children(device, "target")) {
      remove_attribute(target, "state");
    }
    const std::string type = attribute_or(device, "type", "");
    if (type == "file") {
      write_to_own_file(device, label);
    } else if (type == "pty" || type == "unix") {
      remove_children(device,
                      "source");  // libvirt assigns a terminal, and makes a socket's path from the machine's name
    } else {
      for (xmlNode* source : children(device, "source")) {
        remove_attribute(source, "path");
        remove_children(source, "seclabel");
      }
    }
  }

  // "<folder of the disks>/<name>-serial0.log", appended to, so that nothing which is there is lost. Without disks
  // there is no folder that is known to be the machine's: a terminal instead.
  void write_to_own_file(xmlNode* device, const std::string& label) {
    remove_children(device, "source");
    if (request_.disks.empty()) {
      set_attribute(device, "type", "pty");
      return;
    }
    std::string stem = request_.name;
    std::replace(stem.begin(), stem.end(), '/', '_');
    const Path folder = request_.disks.front().file.path.parent_path();
    xmlNode* const source = xml::add_child(device, "source");
    set_attribute(source, "path", (folder / fmt::format("{}-{}.log", stem, label)).string());
    set_attribute(source, "append", "on");
  }

  // --- displays ---

  void replace_graphics() {
    for (xmlNode* graphics : select(domain_, {"devices", "graphics"})) {
      for (const char* name : {"passwd", "passwdValidTo", "connected", "listen", "socket"}) {
        remove_attribute(graphics, name);
      }
      drop_listeners(graphics);
      drop_ports(graphics);
    }
  }

  // The password does not travel with a package, so the display must not be open to a network because it was so before:
  // the address is this host's default (qemu.conf; the loopback unless changed there).
  static void drop_listeners(xmlNode* graphics) {
    for (xmlNode* listen : children(graphics, "listen")) {
      if (has_value(listen, "type", "socket")) {
        remove_attribute(listen, "socket");
      } else if (!has_value(listen, "type", "none")) {
        remove(listen);
      }
    }
  }

  // A fixed port is the original's; a machine that takes its place keeps it.
  void drop_ports(xmlNode* graphics) const {
    const bool was_assigned = has_value(graphics, "autoport", "yes");
    if (!was_assigned && (keeps_ids_ || !attribute(graphics, "port"))) {
      return;
    }
    for (const char* name : {"port", "tlsPort", "websocket"}) {
      remove_attribute(graphics, name);
    }
    set_attribute(graphics, "autoport", "yes");
  }

  // The context id is one machine's on the host.
  void renew_vsock() {
    for (xmlNode* cid : select(domain_, {"devices", "vsock", "cid"})) {
      remove_attribute(cid, "address");
      set_attribute(cid, "auto", "yes");
    }
  }

  xmlNode* domain_;
  const service::DefineMachineRequest& request_;
  const MachineId& id_;
  bool keeps_ids_;
};

}  // namespace

std::optional<LeftOutReason> DomainDisk::left_out_reason() const {
  if (device == "cdrom" || device == "floppy") return LeftOutReason::kCdrom;
  if (is_readonly) return LeftOutReason::kReadOnly;
  if (device == "lun") return LeftOutReason::kPassThrough;
  if (is_shareable) return LeftOutReason::kShareable;
  if (is_transient) {
    return LeftOutReason::kTransient;
  }
  return type == "file" ? std::nullopt : std::optional(LeftOutReason::kNotAFile);
}

Result<DomainDescription> read_domain(const std::string& xml) {
  COHORT_ASSIGN(const auto document, xml::Document::parse(xml, kRoot));
  xmlNode* const domain = document.root();
  DomainDescription description;
  description.name = text(child(domain, "name"));
  if (description.name.empty()) {
    return fail(ErrorCode::kCorrupt, "The machine configuration has no <name>.");
  }
  auto id = MachineId::parse(text(child(domain, "uuid")));
  if (!id) {
    return fail(ErrorCode::kCorrupt, "The configuration of machine \"{}\" has no valid <uuid>.", description.name);
  }
  description.id = *id;
  for (const xmlNode* disk : select(domain, {"devices", "disk"})) {
    description.disks.push_back(read_disk(disk));
  }
  description.nvram = read_nvram(domain);
  description.has_emulated_tpm = read_has_emulated_tpm(domain);
  description.has_agent_channel = read_has_agent_channel(domain);
  return description;
}

Result<std::string> with_disk_source(const std::string& xml, const std::string& target, const Layer& source) {
  COHORT_TRY(check_writable(source.path.string()));
  COHORT_ASSIGN(const auto document, xml::Document::parse(xml, kRoot));
  xmlNode* const disk = find_disk(document.root(), target);
  if (disk == nullptr) {
    return fail(ErrorCode::kNotFound, "The machine configuration has no disk \"{}\".", target);
  }
  remove_children(disk, "backingStore");
  set_driver_format(disk, source.format);
  set_source_file(disk, source.path.string());
  return document.str();
}

std::string snapshot_xml(const DomainDescription& domain, const MemberSnapshot& member) {
  const auto document = xml::Document::create("domainsnapshot");
  xmlNode* const memory = xml::add_child(document.root(), "memory");
  set_attribute(memory, "snapshot", member.memory ? "external" : "no");
  if (member.memory) set_attribute(memory, "file", member.memory->file.string());
  xmlNode* const disks = xml::add_child(document.root(), "disks");
  for (const DomainDisk& each : domain.disks) {
    const auto disk = std::find_if(member.disks.begin(), member.disks.end(),
                                   [&](const DiskSnapshot& taken) { return taken.target == each.target; });
    add_disk_snapshot(disks, each.target, disk == member.disks.end() ? nullptr : &*disk);
  }
  return document.str();
}

Result<std::string> definition_for_import(const service::DefineMachineRequest& request, const MachineId& id) {
  COHORT_ASSIGN(const auto document, xml::Document::parse(request.configuration, kRoot));
  COHORT_TRY(ImportEdit(document.root(), request, id).apply());
  return document.str();
}

}  // namespace cohort::hypervisor
