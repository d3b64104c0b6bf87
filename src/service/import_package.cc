#include "service/import_package.h"

#include "base/kill_point.h"
#include "base/sha256.h"
#include "package/verify_file.h"
#include "service/import_plan.h"
#include "service/imported_machine.h"
#include "service/verify_package.h"

namespace cohort::service {
namespace {

constexpr std::uint64_t kStateFileLimit = 16ULL << 20U;

Result<void> check_whole(const package::VerifyReport& report) {
  if (report.is_whole()) return {};
  const auto& first = report.problems.front();
  return fail(report.failure(), "The package \"{}\" {} ({} problem(s)): {}: {} `cohort verify` names all.",
              report.package.string(), report.verdict(), report.problems.size(), first.file, first.message);
}

// The hashes that are compared from now on must be those that the files had.
Result<void> check_same(const package::Manifest& planned, const package::Manifest& verified) {
  if (package::format_manifest(planned) == package::format_manifest(verified)) return {};
  return fail(ErrorCode::kCorrupt, "The manifest of the package has changed while it was verified.");
}

// A small file, which must still be what the verification has seen.
Result<std::string> read_verified(const package::PackageFolder& folder, const package::FileEntry& entry) {
  COHORT_ASSIGN(auto content, folder.read(entry.file, kStateFileLimit));
  if (Sha256::of(content) != entry.sha256) {
    return fail(ErrorCode::kCorrupt, "\"{}\" has changed since it was verified.", entry.file);
  }
  return content;
}

// Makes the machines of one package.
class Importing {
 public:
  Importing(const ImportRequest& request, const PreparedImport& prepared, Hypervisor& hypervisor, DiskCopier& copier,
            JobContext& job)
      : request_(request), prepared_(prepared), hypervisor_(hypervisor), copier_(copier), job_(job) {}

  Result<ImportedMachine> make(std::size_t index) {
    const auto& entry = prepared_.manifest.machines[index];
    ImportedMachine machine = prepared_.plan.machines[index];
    if (!request_.keep_ids) machine.id = MachineId::generate();
    files_.clear();
    for (std::size_t i = 0; i < entry.disks.size(); ++i) {
      COHORT_TRY(copy_disk(entry, entry.disks[i], machine.disks[i]));
    }
    COHORT_TRY(put_tpm_state(entry, machine));
    COHORT_TRY(define(index, entry, machine));
    return machine;
  }

 private:
  Result<void> copy_disk(const package::MachineEntry& entry, const package::DiskEntry& disk,
                         const ImportedDisk& target) {
    job_.set_phase(fmt::format("copying disk {} of {}", disk.target, entry.name));
    COHORT_TRY(job_.check_cancelled());
    COHORT_ASSIGN(const auto step, will_remove(target.file.path));
    kill_point("import.before_copy");
    COHORT_ASSIGN(const UniqueFd fd, package::open_entry(prepared_.folder, disk.file, &disk));
    std::uint64_t last = 0;
    const auto copied = copier_.copy_file({package::path_of(fd), target.file.path, disk.file.sha256}, job_.stop(),
                                          [&](std::uint64_t done) {
                                            if (done > last) job_.add_done(done - last);
                                            last = done;
                                          });
    kill_point("import.copied");
    if (copied) return {};
    Error error = copied.error();
    error.message = package::with_own_name(error.message, fd, disk.file.file);
    return refuse(error, step);
  }

  // Returns where the copy was put, if the machine has such a file.
  Result<std::optional<Path>> put_nvram(const package::MachineEntry& entry, const ImportedMachine& machine) {
    if (!entry.nvram) return std::optional<Path>{};
    COHORT_ASSIGN(const auto content, read_verified(prepared_.folder, *entry.nvram));
    const Path place = nvram_place(prepared_.plan.storage, machine.name);
    COHORT_ASSIGN(const auto step, will_remove(place));
    if (const auto created = create_file(place, content); !created) return refuse(created.error(), step);
    return std::optional(place);
  }

  Result<void> put_tpm_state(const package::MachineEntry& entry, const ImportedMachine& machine) {
    if (entry.tpm_state.empty()) return {};
    std::vector<MachineStateFiles::File> files;
    for (const auto& file : entry.tpm_state) {
      COHORT_ASSIGN(auto content, read_verified(prepared_.folder, file));
      files.push_back({name_below_tpm_folder(file.file), std::move(content)});
    }
    const Path folder = hypervisor_.tpm_state_folder(machine.id);
    COHORT_ASSIGN(const auto step, job_.will_undo(UndoKind::kRemoveTree, folder.string()));
    if (const auto put = hypervisor_.write_tpm_state(machine.id, files); !put) return refuse(put.error(), step);
    return {};
  }

  // "Virtual Machines/<uuid>.tpm/tpm2/x" is "tpm2/x".
  static std::string name_below_tpm_folder(const std::string& file) {
    const auto mark = file.find(".tpm/");
    return mark == std::string::npos ? file : file.substr(mark + 5);
  }

  Result<void> define(std::size_t index, const package::MachineEntry& entry, const ImportedMachine& machine) {
    DefineMachineRequest definition;
    COHORT_ASSIGN(definition.configuration, read_verified(prepared_.folder, entry.configuration));
    if (definition.configuration != prepared_.configurations[index]) {
      return fail(ErrorCode::kCorrupt, "\"{}\" has changed since it was checked.", entry.configuration.file);
    }
    definition.name = machine.name;
    (request_.keep_ids ? definition.id : definition.new_id) = machine.id;
    definition.disks = machine.disks;
    COHORT_ASSIGN(definition.nvram, put_nvram(entry, machine));
    COHORT_TRY(will_remove_port_files(definition));
    definition.mark = import_mark(job_.id(), files_);
    COHORT_ASSIGN(const auto step, job_.will_undo(UndoKind::kUndefineMachine, machine.id.str()));
    kill_point("import.before_define");
    if (const auto defined = hypervisor_.define_machine(definition); !defined) return refuse(defined.error(), step);
    kill_point("import.defined");
    return {};
  }

  // Removed after the machine is, which makes them when it is started. One that is there already is somebody else's:
  // the machine appends to it, and it stays.
  Result<void> will_remove_port_files(const DefineMachineRequest& definition) {
    COHORT_ASSIGN(const auto files, hypervisor_.port_files(definition));
    for (const auto& file : files) {
      std::error_code code;
      if (std::filesystem::exists(std::filesystem::symlink_status(file, code))) continue;
      COHORT_TRY(will_remove(file));
    }
    return {};
  }

  Result<UndoStep> will_remove(const Path& file) {
    files_.push_back(file);
    return job_.will_undo(UndoKind::kRemoveFile, file.string());
  }

  // What was in the way is somebody else's: it must not be taken back with what this job has made.
  [[nodiscard]] Failure refuse(const Error& error, const UndoStep& step) {
    if (error.code == ErrorCode::kAlreadyExists) {
      if (const auto kept = job_.will_keep(step); !kept) return Failure{kept.error()};
    }
    return Failure{error};
  }

  const ImportRequest& request_;
  const PreparedImport& prepared_;
  Hypervisor& hypervisor_;
  DiskCopier& copier_;
  JobContext& job_;
  std::vector<Path> files_;  // of the machine that is being made, in the order recorded
};

Result<void> start_all(std::vector<ImportedMachine>& machines, Hypervisor& hypervisor, JobContext& job) {
  job.set_phase("starting the machines");
  for (auto& machine : machines) {
    COHORT_TRY(job.check_cancelled());
    COHORT_TRY(job.will_undo(UndoKind::kStopMachine, machine.id.str()));
    kill_point("import.before_start");
    COHORT_TRY(hypervisor.start(machine.id));
    kill_point("import.started");
    machine.started = true;
  }
  return {};
}

}  // namespace

ImportPackage::ImportPackage(Hypervisor& hypervisor, DiskCopier& copier) : hypervisor_(hypervisor), copier_(copier) {}

Result<ImportPlan> ImportPackage::plan(const ImportRequest& request) {
  return prepare_import(request, hypervisor_, copier_).map([](PreparedImport&& prepared) {
    return std::move(prepared.plan);
  });
}

Result<ImportReport> ImportPackage::run(const ImportRequest& request, JobContext& job) {
  job.set_phase("planning");
  COHORT_ASSIGN(const auto prepared, prepare_import(request, hypervisor_, copier_));
  COHORT_ASSIGN(const auto verified, verify_package(request.directory, job));
  COHORT_TRY(check_whole(verified));
  COHORT_TRY(check_same(prepared.manifest, verified.manifest));
  job.set_done(0);
  job.set_total(prepared.plan.estimated_bytes);
  Importing importing(request, prepared, hypervisor_, copier_, job);
  ImportReport report;
  for (std::size_t i = 0; i < prepared.plan.machines.size(); ++i) {
    COHORT_ASSIGN(auto machine, importing.make(i));
    report.machines.push_back(std::move(machine));
  }
  // The files' names must be as durable as their content before the import is called complete.
  COHORT_TRY(sync_directory(prepared.plan.storage));
  if (request.start) COHORT_TRY(start_all(report.machines, hypervisor_, job));
  COHORT_TRY(job.check_cancelled());
  return report;
}

}  // namespace cohort::service
