// Real QEMU machines for the contract tests: no system in them, but disks that can be written to and read as the guest
// would. Their names begin with "cohort-test-contract-"; they go with their object.
#pragma once

#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/temporary_folder.h"
#include "domain/snapshot.h"
#include "service/ports/hypervisor.h"

namespace cohort::contract {

// COHORT_TEST_URI leads the tests to another libvirtd, for example one that may be killed.
inline std::string uri() {
  const char* other = std::getenv("COHORT_TEST_URI");
  return other == nullptr ? "qemu:///system" : other;
}

struct ConnectionCloser {
  void operator()(virConnect* connection) const { virConnectClose(connection); }
};
struct DomainFreer {
  void operator()(virDomain* domain) const { virDomainFree(domain); }
};

inline std::string run(const std::vector<std::string>& argv) {
  const auto output = run_process(argv);
  return output ? output->out + output->err : output.error().describe();
}

// A folder that QEMU's user can enter, of a name that is hard to quote.
class DiskFolder {
 public:
  DiskFolder() : path_(folder_.path() / "Dätenträger 1, a:b=c") {
    ::chmod(folder_.path().c_str(), 0711);
    std::filesystem::create_directory(path_);
    ::chmod(path_.c_str(), 0711);
  }
  [[nodiscard]] const Path& path() const { return path_; }

 private:
  TemporaryFolder folder_;
  Path path_;
};

struct TestDisk {
  std::string target;
  Layer active;
};

class QemuMachine {
 public:
  // Disks vda, vdb, …: "qcow2", "raw", or "qcow2 on qcow2" and "qcow2 on raw" with a backing file.
  // `extra` goes into <devices>, `boot` into <os>.
  QemuMachine(const Path& folder, const std::string& name, const std::vector<std::string>& kinds,
              const std::string& extra = {}, const std::string& boot = {})
      : connection_(virConnectOpen(uri().c_str())), name_("cohort-test-contract-" + name) {
    remove();
    for (const auto& kind : kinds) add_disk(folder, kind);
    domain_.reset(virDomainDefineXML(connection_.get(), xml(extra, boot).c_str()));
  }
  QemuMachine(const QemuMachine&) = delete;
  QemuMachine& operator=(const QemuMachine&) = delete;
  ~QemuMachine() { remove(); }

  [[nodiscard]] MachineId id() const {
    char text[VIR_UUID_STRING_BUFLEN] = "";
    if (domain_) virDomainGetUUIDString(domain_.get(), text);
    return MachineId::parse(text).value_or(MachineId());
  }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] virDomainPtr domain() const { return domain_.get(); }
  [[nodiscard]] const std::vector<TestDisk>& disks() const { return disks_; }

  bool define(const std::string& xml) {
    const std::unique_ptr<virDomain, DomainFreer> defined(virDomainDefineXML(connection_.get(), xml.c_str()));
    return defined != nullptr;
  }
  bool start() { return virDomainCreate(domain_.get()) == 0; }
  bool stop() { return virDomainDestroy(domain_.get()) == 0; }
  bool pause() { return virDomainSuspend(domain_.get()) == 0; }
  // A block job of another on vda.
  bool begin_copy(const Path& target) {
    const std::string xml =
        fmt::format("<disk type='file'><driver type='raw'/><source file='{}'/></disk>", target.string());
    return virDomainBlockCopy(domain_.get(), "vda", xml.c_str(), nullptr, 0, VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB) == 0;
  }
  [[nodiscard]] int state() const {
    int state = -1;
    virDomainGetState(domain_.get(), &state, nullptr, 0);
    return state;
  }
  // The active file of a disk as the running machine has it, or as it is defined.
  [[nodiscard]] std::string xml_now(unsigned int flags = 0) const {
    char* text = virDomainGetXMLDesc(domain_.get(), flags);
    std::string copy = text == nullptr ? "" : text;
    std::free(text);
    return copy;
  }

  // 64 KiB of `pattern` at `slot` * 64 KiB: through the running machine, else on the file. True if it reads back.
  bool write(std::size_t disk, int slot, int pattern) {
    const std::string command = fmt::format("write -P {} {}k 64k", pattern, slot * 64);
    if (virDomainIsActive(domain_.get()) == 1) {
      tell_qemu(disk, command);
    } else {
      const Layer file = active_file(disk);
      run({"qemu-io", "-f", file.format, "-c", command, file.path.string()});
    }
    return holds(disk, slot, pattern);
  }
  bool holds(std::size_t disk, int slot, int pattern) {
    // What QEMU holds back of its tables is written by a flush; then the files tell.
    if (virDomainIsActive(domain_.get()) == 1) tell_qemu(disk, "flush");
    return file_holds(active_file(disk), slot, pattern);
  }
  static bool file_holds(const Layer& file, int slot, int pattern) {
    return holds_in(
        run({"qemu-io", "-r", "-U", "-f", file.format, "-c", read_command(slot, pattern), file.path.string()}));
  }

  [[nodiscard]] Layer active_file(std::size_t disk) const {
    const std::string xml = xml_now(VIR_DOMAIN_XML_INACTIVE);
    const std::string target = fmt::format("dev='{}'", disks_[disk].target);
    const std::size_t begin = xml.rfind("<disk ", xml.find(target));
    const std::string part = xml.substr(begin, xml.find("</disk>", begin) - begin);
    return {between(part, "<source file='", "'"), between(part, "type='", "'", part.find("<driver"))};
  }

 private:
  static std::string between(const std::string& text, const std::string& before, const std::string& after,
                             std::size_t from = 0) {
    const std::size_t begin = text.find(before, from) + before.size();
    return text.substr(begin, text.find(after, begin) - begin);
  }
  static std::string read_command(int slot, int pattern) {
    return fmt::format("read -P {} {}k 64k", pattern, slot * 64);
  }
  static bool holds_in(const std::string& reply) {
    return reply.find("read 65536/65536") != std::string::npos && reply.find("ail") == std::string::npos;
  }

  // QEMU keeps the outcome to itself.
  void tell_qemu(std::size_t disk, const std::string& command) {
    const std::string line =
        fmt::format("qemu-io -d /machine/peripheral/virtio-disk{}/virtio-backend \"{}\"", disk, command);
    char* reply = nullptr;
    virDomainQemuMonitorCommand(domain_.get(), line.c_str(), &reply, VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP);
    std::free(reply);
  }

  void add_disk(const Path& folder, const std::string& kind) {
    const std::string target = std::string("vd") + static_cast<char>('a' + disks_.size());
    const std::string format = kind.substr(0, kind.find(' '));
    const Path file = folder / fmt::format("{} {}.{}", name_, target, format);
    std::vector<std::string> create{"qemu-img", "create", "-q", "-f", format};
    if (const std::size_t on = kind.find(" on "); on != std::string::npos) {
      const std::string below = kind.substr(on + 4);
      const std::string base = file.string() + ".base";
      run({"qemu-img", "create", "-q", "-f", below, base, "64M"});
      create.insert(create.end(), {"-b", base, "-F", below});
    }
    create.insert(create.end(), {file.string(), "64M"});
    run(create);
    disks_.push_back({target, {file, format}});
  }

  [[nodiscard]] std::string xml(const std::string& extra, const std::string& boot) const {
    std::string devices;
    for (const TestDisk& disk : disks_) {
      devices += fmt::format(
          "<disk type='file' device='disk'><driver name='qemu' type='{}'/><source file='{}'/>"
          "<target dev='{}' bus='virtio'/></disk>",
          disk.active.format, disk.active.path.string(), disk.target);
    }
    return fmt::format(
        "<domain type='qemu'><name>{}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='q35'>hvm</type>{}</os><features><acpi/></features>"
        "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>{}{}<memballoon model='none'/></devices></domain>",
        name_, boot, devices, extra);
  }

  void remove() {
    const std::unique_ptr<virDomain, DomainFreer> old(virDomainLookupByName(connection_.get(), name_.c_str()));
    if (!old) return;
    virDomainDestroy(old.get());
    virDomainUndefineFlags(old.get(), VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
                                          VIR_DOMAIN_UNDEFINE_NVRAM);
  }

  std::unique_ptr<virConnect, ConnectionCloser> connection_;
  std::unique_ptr<virDomain, DomainFreer> domain_;
  std::string name_;
  std::vector<TestDisk> disks_;
};

// What take_snapshot does with one member.
inline MemberSnapshot plan_member(const MachineDetails& details, const SnapshotId& id) {
  MemberSnapshot member;
  member.machine = details.summary.id;
  member.name = details.summary.name;
  member.power = details.summary.power;
  member.configuration = details.configuration;
  for (const MachineDisk& disk : details.disks) {
    member.disks.push_back(
        {disk.target, disk.chain.front(), overlay_path(disk.chain.front().path, id), disk.virtual_size});
  }
  return member;
}

inline Result<MemberSnapshot> snapshot_member(service::Hypervisor& hypervisor, const MachineId& machine) {
  COHORT_ASSIGN(const MachineDetails details, hypervisor.inspect(machine));
  if (!details.obstacles.empty()) return fail(ErrorCode::kInvalidState, "{}", details.obstacles.front());
  MemberSnapshot member = plan_member(details, SnapshotId::generate());
  for (const DiskSnapshot& disk : member.disks) COHORT_TRY(hypervisor.create_overlay(disk));
  const bool is_running = member.power == PowerState::kRunning;
  if (is_running) COHORT_TRY(hypervisor.suspend(machine));
  COHORT_TRY(hypervisor.capture(member));
  if (is_running) COHORT_TRY(hypervisor.resume(machine));
  return member;
}

// What delete_snapshot does with one member, and move_frozen() of the store with the others.
inline Result<void> merge_member(service::Hypervisor& hypervisor, MemberSnapshot& member,
                                 const std::vector<MemberSnapshot*>& others = {}) {
  for (DiskSnapshot& disk : member.disks) {
    const auto mark = [&disk](bool merged) {
      disk.merged = merged;
      return Result<void>();
    };
    COHORT_TRY(hypervisor.merge_overlay(member.machine, disk, {}, {{}, mark}));
    for (MemberSnapshot* other : others) {
      for (DiskSnapshot& above : other->disks) {
        if (above.frozen.path == disk.overlay) above.frozen = disk.frozen;
      }
    }
  }
  return {};
}

}  // namespace cohort::contract
