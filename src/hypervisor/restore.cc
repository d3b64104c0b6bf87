// Takes a machine back to what it was at an instant.
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/kill_point.h"
#include "hypervisor/domain_xml.h"
#include "hypervisor/driver.h"
#include "hypervisor/libvirt_error.h"

namespace cohort::hypervisor {
namespace {

Result<std::string> with_disks(std::string xml, const std::vector<service::ImportedDisk>& disks) {
  for (const auto& disk : disks) {
    COHORT_ASSIGN(xml, with_disk_source(xml, disk.target, disk.file));
  }
  return xml;
}

// Of the same owner and mode, in one step: a crash leaves the one or the other.
Result<void> replace_nvram(const Path& file, const std::string& content) {
  struct stat old {};
  const bool is_there = ::stat(file.c_str(), &old) == 0;
  const Path fresh = file.string() + ".cohort";
  COHORT_TRY(remove_file(fresh));
  COHORT_TRY(create_file(fresh, content));
  if (is_there &&
      (::chmod(fresh.c_str(), old.st_mode & 07777U) != 0 || ::chown(fresh.c_str(), old.st_uid, old.st_gid) != 0)) {
    return Failure{system_error(errno, fmt::format("\"{}\" cannot be given its owner.", fresh.string()))};
  }
  if (::rename(fresh.c_str(), file.c_str()) != 0) {
    return Failure{system_error(errno, fmt::format("\"{}\" cannot be written.", file.string()))};
  }
  return sync_directory(file.parent_path());
}

// A machine that was never started had none yet.
Result<void> put_nvram(const DomainDescription& description, const std::optional<std::string>& content) {
  if (!description.nvram) return {};
  return content ? replace_nvram(*description.nvram, *content) : remove_file(*description.nvram);
}

}  // namespace

Result<void> Driver::restore(const service::RestoreRequest& request) {
  COHORT_TRY(check_disks_reachable());
  COHORT_ASSIGN(const std::string definition, with_disks(request.definition, request.disks));
  COHORT_ASSIGN(const DomainDescription description, read_domain(definition));
  COHORT_TRY(stop(request.id));
  kill_point("restore.stopped");
  COHORT_TRY(put_nvram(description, request.files.nvram));
  if (description.has_emulated_tpm) {
    COHORT_TRY(remove_tree(tpm_state_folder(request.id)));
    if (!request.files.tpm.empty()) COHORT_TRY(write_tpm_state(request.id, request.files.tpm));
  }
  COHORT_ASSIGN(const ConnectionHandle connection, connections_->any());
  const DomainHandle domain(virDomainDefineXML(connection.get(), definition.c_str()));
  if (!domain) return Failure{libvirt_error(fmt::format("The machine \"{}\" cannot be defined.", description.name))};
  kill_point("restore.defined");
  if (!request.memory) return {};
  // libvirt keeps in the file what the machine was as it ran, which the definition does not say.
  const OwnedText saved(
      virDomainSaveImageGetXMLDesc(connection.get(), request.memory->c_str(), VIR_DOMAIN_SAVE_IMAGE_XML_SECURE));
  if (!saved) {
    return Failure{libvirt_error(fmt::format("The memory of \"{}\" cannot be read.", description.name))};
  }
  COHORT_ASSIGN(const std::string running, with_disks(saved.get(), request.disks));
  if (virDomainRestoreFlags(connection.get(), request.memory->c_str(), running.c_str(), VIR_DOMAIN_SAVE_PAUSED) != 0) {
    return Failure{libvirt_error(fmt::format("The machine \"{}\" cannot go on from its memory.", description.name))};
  }
  kill_point("restore.done");
  return {};
}

}  // namespace cohort::hypervisor
