// QEMU's own view of a machine's disks, and the block jobs that libvirt does not know of.
//
// libvirt marks a machine whose monitor somebody else has used as tainted (custom-monitor), and no longer vouches for
// it: QEMU is asked only where there is a reason to doubt what libvirt says (qemu_view.h).
#pragma once

#include <libvirt/libvirt.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hypervisor/image_chain.h"

namespace cohort::hypervisor {

// A device of the machine and the files that it works with.
struct QemuDisk {
  std::string device;  // the device's id in QEMU, or its path
  std::string node;    // the active one
  Chain chain;         // of it; ends before a layer that is no file

  // libvirt's alias is the id, or an element of the path.
  [[nodiscard]] bool has_alias(std::string_view alias) const;
};

// A layer that is open in QEMU. Each file has two: one for its format, and below that one for its storage ("file").
struct QemuNode {
  std::string name;
  std::string driver;
  Path file;
};

struct QemuJob {
  std::string status;  // "running", "ready", "concluded", … (JobStatus of QEMU)
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::string error;  // why it ended early; empty if it did not
};

// Of the answers of QEMU: kHypervisor, with QEMU's words as the cause, for an error; kCorrupt for what is no answer.
[[nodiscard]] Result<std::vector<QemuDisk>> parse_query_block(std::string_view answer);
[[nodiscard]] Result<std::vector<QemuNode>> parse_query_nodes(std::string_view answer);
// Nothing if there is no job of that id.
[[nodiscard]] Result<std::optional<QemuJob>> parse_query_jobs(std::string_view answer, std::string_view id);

// Threads: as the domain's connection. The domain must outlive it.
// Errors:  as above; those of libvirt if the machine does not run or libvirtd does not answer.
class Monitor {
 public:
  explicit Monitor(virDomainPtr domain) : domain_(domain) {}

  [[nodiscard]] Result<std::vector<QemuDisk>> disks();
  [[nodiscard]] Result<std::vector<QemuNode>> nodes();
  [[nodiscard]] Result<std::optional<QemuJob>> job(const std::string& id);

  // A commit of the active node `top` into `base`. It waits when it is ready, and its end is kept until it is
  // dismissed.
  [[nodiscard]] Result<void> begin_commit(const std::string& id, const std::string& top, const std::string& base);
  // The job is ready: the machine is switched to the base.
  [[nodiscard]] Result<void> complete(const std::string& id);
  // The job ends, and the machine goes on as before.
  [[nodiscard]] Result<void> cancel(const std::string& id);
  [[nodiscard]] Result<void> dismiss(const std::string& id);
  // "running", "paused", "postmigrate", … (RunState of QEMU)
  [[nodiscard]] Result<std::string> run_state();
  // QEMU, which has given up the active node and those below it at the end of a migration, holds them again. The
  // machine goes on to stand still.
  [[nodiscard]] Result<void> take_back(const std::string& node);
  // REQUIRES: nothing uses the node.
  [[nodiscard]] Result<void> remove_node(const std::string& name);

 private:
  // `command` is a whole QMP command.
  [[nodiscard]] Result<std::string> ask(const std::string& command);
  [[nodiscard]] Result<void> tell(const std::string& command);

  virDomainPtr domain_;
};

}  // namespace cohort::hypervisor
