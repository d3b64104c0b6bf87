// What a snapshot has to know of a machine before it begins.
#include <libvirt/libvirt.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/data_file.h"
#include "hypervisor/disk_chains.h"
#include "hypervisor/driver.h"
#include "hypervisor/libvirt_error.h"
#include "hypervisor/overlay_file.h"
#include "hypervisor/power.h"
#include "hypervisor/qemu_view.h"

namespace cohort::hypervisor {
namespace {

class Inspection {
 public:
  explicit Inspection(virDomainPtr domain) : domain_(domain) {}

  Result<MachineDetails> run() {
    COHORT_ASSIGN(state_, settled_state_of(domain_));
    COHORT_ASSIGN(details_.summary, summary_of(domain_));
    is_active_ = virDomainIsActive(domain_) == 1;
    answers_ = is_active_ && details_.summary.power != PowerState::kOther;
    // MIGRATABLE leaves out what only this host's libvirt added, so that the text can be defined elsewhere.
    const unsigned int kind = is_active_ ? VIR_DOMAIN_XML_MIGRATABLE : VIR_DOMAIN_XML_INACTIVE;
    COHORT_ASSIGN(details_.configuration, domain_xml(domain_, kind));
    COHORT_TRY(look_at_definition());
    COHORT_ASSIGN(const DomainDescription description, describe(domain_, is_active_ ? 0 : VIR_DOMAIN_XML_INACTIVE));
    details_.nvram = description.nvram;
    check_machine();
    for (const DomainDisk& disk : description.disks) {
      COHORT_TRY(add(disk));
    }
    return std::move(details_);
  }

 private:
  template <typename... Args>
  void obstacle(fmt::format_string<Args...> sentence, Args&&... args) {
    details_.obstacles.push_back(fmt::format(sentence, std::forward<Args>(args)...));
  }
  [[nodiscard]] const std::string& name() const { return details_.summary.name; }

  Result<void> look_at_definition() {
    virDomainInfo info{};
    if (virDomainGetInfo(domain_, &info) != 0) {
      return Failure{machine_error(domain_, "The memory of the machine \"{}\" cannot be looked at.")};
    }
    details_.memory_bytes = std::uint64_t{info.maxMem} << 10U;  // KiB
    if (virDomainIsPersistent(domain_) != 1) return {};
    COHORT_ASSIGN(details_.definition, domain_xml(domain_, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE));
    return {};
  }

  void check_machine() {
    if (details_.summary.power == PowerState::kOther) {
      obstacle("The machine \"{}\" is {}: start it, resume it or shut it down first.", name(), state_.words());
    }
    if (virDomainHasManagedSaveImage(domain_, 0) == 1) {
      obstacle(
          "The machine \"{}\" has a saved state that needs its disks as they are: start it, or drop that state with "
          "virsh managedsave-remove \"{}\".",
          name(), name());
    }
    virDomainJobInfo job{};
    if (answers_ && virDomainGetJobInfo(domain_, &job) == 0 && job.type != VIR_DOMAIN_JOB_NONE) {
      obstacle(
          "The machine \"{}\" is being migrated, saved or backed up: wait for the end of that, or stop it with "
          "virsh domjobabort \"{}\".",
          name(), name());
    }
  }

  Result<void> add(const DomainDisk& disk) {
    if (const auto reason = disk.left_out_reason()) {
      details_.left_out.push_back({disk.target, *reason, disk.source});
      return {};
    }
    if (!check_file(disk)) return {};
    check_block_job(disk);
    auto chain = read_image_chain({disk.source, disk.format});
    if (!chain) {
      obstacle("The disk {} of \"{}\" cannot be read: {}", disk.target, name(), chain.error().describe());
      return {};
    }
    return add(disk, *chain);
  }

  Result<void> add(const DomainDisk& disk, const ImageChain& image) {
    Chain chain = image.layers;
    std::optional<Path> mistaken_for;
    if (is_active_) {
      COHORT_ASSIGN(chain, chain_of(disk));
      check_same(disk, chain, image.layers);
      const bool is_dead = has_dead_job(disk);
      if (answers_ && (is_dead || (!disk.has_mirror && !fits_locks(chain)))) mistaken_for = correct(chain, disk);
      if (is_dead && !mistaken_for) add_dead_job(disk);
    }
    if (!is_active_) {
      for (const Layer& layer : chain) check_unused(disk, layer.path);
    }
    for (const Layer& layer : image.layers) check_data_file(disk, layer);
    if (chain.size() >= kLongestChain) {
      obstacle("The disk {} of \"{}\" is a chain of {} files already: merge some of them (virsh blockcommit).",
               disk.target, name(), chain.size());
    }
    if (image.is_encrypted) {
      obstacle("The disk {} of \"{}\" is encrypted, which a snapshot cannot carry yet.", disk.target, name());
    }
    const std::uint64_t running_size = answers_ ? capacity(disk) : 0;
    const std::uint64_t size = running_size > 0 ? running_size : image.virtual_size;
    details_.disks.push_back({disk.target, std::move(chain), size, std::move(mistaken_for)});
    return {};
  }

  // Makes the chain that of QEMU if libvirt is wrong about the active file, and gives back what libvirt takes for it.
  std::optional<Path> correct(Chain& believed, const DomainDisk& disk) {
    auto actual = ask_qemu(domain_, name(), disk);
    if (!actual) {
      obstacle("Whether libvirt is right about the disk {} of \"{}\" cannot be told: {}", disk.target, name(),
               actual.error().describe());
      return std::nullopt;
    }
    if (is_same_file(actual->chain.front().path, believed.front().path)) return std::nullopt;
    Path mistaken = believed.front().path;
    believed = std::move(actual->chain);
    obstacle("{}", words_of_mistake(name(), disk.target, mistaken, believed.front().path));
    return mistaken;
  }

  // QEMU works with the chain it has opened; whoever reads the frozen file works with what the headers say.
  void check_same(const DomainDisk& disk, const Chain& running, const Chain& headers) {
    bool is_same = running.size() == headers.size();
    for (std::size_t i = 0; is_same && i < running.size(); ++i) {
      is_same = is_same_file(running[i].path, headers[i].path);
    }
    if (!is_same) {
      obstacle(
          "The disk {} of \"{}\" runs on other backing files than the headers of its images name: shut the machine "
          "down and mend them with qemu-img rebase.",
          disk.target, name());
    }
  }

  void check_unused(const DomainDisk& disk, const Path& file) {
    const auto unused = check_nobody_writes(file, disk.target, name());
    if (!unused && unused.error().code == ErrorCode::kInUse) obstacle("{}", unused.error().message);
  }

  // It is frozen with its image, and must be the same file for whoever opens that: QEMU looks for a relative name in
  // the folder that it was started in.
  void check_data_file(const DomainDisk& disk, const Layer& layer) {
    const auto file = data_file_of(layer.path, layer.format);
    std::error_code error;
    if (!file) {
      obstacle("The disk {} of \"{}\" cannot be read: {}", disk.target, name(), file.error().describe());
    } else if (file->starts_with('/') && std::filesystem::is_regular_file(*file, error)) {
      if (!is_active_) check_unused(disk, *file);
    } else if (file->starts_with('/')) {
      obstacle("The disk {} of \"{}\" keeps its data in \"{}\", which is no file: {}.", disk.target, name(), *file,
               error ? error.message() : "only files can be frozen");
    } else if (!file->empty()) {
      obstacle(
          "The disk {} of \"{}\" keeps its data in \"{}\", as \"{}\" says, which is not the whole path of a file: "
          "put it right with qemu-img amend -o data_file=/….",
          disk.target, name(), *file, layer.path.string());
    }
  }

  bool check_file(const DomainDisk& disk) {
    const Path file = disk.source;
    if (!file.is_absolute()) {
      obstacle("The disk {} of \"{}\" has no file.", disk.target, name());
      return false;
    }
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) {
      obstacle(
          "The disk {} of \"{}\" is \"{}\", which is not a file that can be read: put it back, or detach the disk.",
          disk.target, name(), disk.source);
      return false;
    }
    check_folder(disk, file.parent_path());
    return true;
  }

  // Its overlay goes beside it.
  void check_folder(const DomainDisk& disk, const Path& folder) {
    if (::access(folder.c_str(), W_OK | X_OK) == 0) return;
    obstacle("The folder \"{}\" of the disk {} of \"{}\" cannot be written to ({}): an overlay is needed there.",
             folder.string(), disk.target, name(), std::generic_category().message(errno));
  }

  void check_block_job(const DomainDisk& disk) {
    virDomainBlockJobInfo job{};
    const bool has_job = answers_ && virDomainGetBlockJobInfo(domain_, disk.target.c_str(), &job, 0) == 1;
    if (!has_job && !disk.has_mirror) return;
    if (has_dead_job(disk)) return;  // it has an obstacle of its own
    obstacle("A block job runs on the disk {} of \"{}\": wait for it, or end it with virsh blockjob \"{}\" {} --abort.",
             disk.target, name(), name(), disk.target);
  }

  bool has_dead_job(const DomainDisk& disk) {
    return answers_ && disk.has_mirror && hypervisor::has_dead_job(domain_, disk.target).value_or(false);
  }

  void add_dead_job(const DomainDisk& disk) {
    const auto words = words_of_dead_job(domain_, name(), disk.target);
    obstacle("{}", words ? *words : words.error().describe());
  }

  // As the guest sees it; 0 if the driver does not tell.
  std::uint64_t capacity(const DomainDisk& disk) {
    virDomainBlockInfo info{};
    return virDomainGetBlockInfo(domain_, disk.target.c_str(), &info, 0) == 0 ? info.capacity : 0;
  }

  virDomainPtr domain_;
  bool is_active_ = false;
  bool answers_ = false;  // its QEMU can be asked; one that is just starting or ending lets callers wait for long
  DomainState state_;
  MachineDetails details_;
};

}  // namespace

Result<MachineDetails> Driver::inspect(const MachineId& id) {
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  COHORT_TRY(check_disks_reachable());
  COHORT_ASSIGN(MachineDetails details, Inspection(domain.get()).run());
  COHORT_ASSIGN(const DomainDescription description, read_domain(details.configuration));
  if (description.has_emulated_tpm) details.tpm_state = tpm_state_folder(id);
  return details;
}

}  // namespace cohort::hypervisor
