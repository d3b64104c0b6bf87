#include "service/import_package.h"

#include "base/kill_point.h"
#include "service/import_plan.h"
#include "service/machine_parts.h"
#include "service/package_images.h"

namespace cohort::service {
namespace {

// Makes the machines of one package.
class Importing {
 public:
  Importing(const ImportRequest& request, const PreparedImport& prepared, Hypervisor& hypervisor, DiskCopier& copier,
            JobContext& job)
      : request_(request), prepared_(prepared), hypervisor_(hypervisor), copier_(copier), job_(job) {}

  Result<ImportedMachine> make(std::size_t index) {
    const PackagedMachine& packaged = prepared_.package.machines[index];
    ImportedMachine machine = prepared_.plan.machines[index];
    if (!request_.keep_ids) machine.id = MachineId::generate();
    MachineParts parts(prepared_.package, packaged, hypervisor_, job_);
    for (std::size_t i = 0; i < packaged.entry.disks.size(); ++i) {
      COHORT_TRY(copy_disk(packaged.entry, packaged.entry.disks[i], machine.disks[i], parts));
    }
    COHORT_TRY(define(machine, parts));
    return machine;
  }

 private:
  Result<void> copy_disk(const package::MachineEntry& entry, const package::DiskEntry& disk, const ImportedDisk& target,
                         MachineParts& parts) {
    job_.set_phase(fmt::format("copying disk {} of {}", disk.target, entry.name));
    COHORT_TRY(job_.check_cancelled());
    COHORT_ASSIGN(const auto step, parts.will_remove(target.file.path));
    kill_point("import.before_copy");
    COHORT_ASSIGN(const auto opened, open_layers(prepared_.package.chain, entry.id, disk));
    const auto copied = copy(opened, disk, target.file.path);
    kill_point("import.copied");
    if (copied) return {};
    Error error = copied.error();
    error.message = opened.with_own_names(error.message);
    return parts.refuse(error, step);
  }

  // An image that stands alone as it is; of others one is made that does.
  Result<void> copy(const OpenedLayers& opened, const package::DiskEntry& disk, const Path& target) {
    std::uint64_t last = 0;
    const auto on_progress = [&](std::uint64_t done) {
      if (done > last) job_.add_done(done - last);
      last = done;
    };
    if (disk.parent) {
      const CopyLayersRequest layers{opened.layers(), target, disk.format, disk.content_hash};
      return copier_.copy_layers(layers, job_.stop(), on_progress).map([](const auto&) {});
    }
    return copier_.copy_file({package::path_of(opened.fds.front()), target, disk.file.sha256}, job_.stop(),
                             on_progress);
  }

  Result<void> define(const ImportedMachine& machine, MachineParts& parts) {
    DefineMachineRequest definition;
    definition.name = machine.name;
    (request_.keep_ids ? definition.id : definition.new_id) = machine.id;
    definition.disks = machine.disks;
    COHORT_TRY(parts.complete(definition, prepared_.plan.storage));
    COHORT_ASSIGN(const auto step, parts.will_undefine(machine.id));
    kill_point("import.before_define");
    if (const auto defined = hypervisor_.define_machine(definition); !defined)
      return parts.refuse(defined.error(), step);
    kill_point("import.defined");
    return {};
  }

  const ImportRequest& request_;
  const PreparedImport& prepared_;
  Hypervisor& hypervisor_;
  DiskCopier& copier_;
  JobContext& job_;
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
  return prepare_import(request, hypervisor_, copier_, {}).map([](PreparedImport&& prepared) {
    return std::move(prepared.plan);
  });
}

Result<ImportReport> ImportPackage::run(const ImportRequest& request, JobContext& job) {
  job.set_phase("planning");
  COHORT_ASSIGN(const auto prepared, prepare_import(request, hypervisor_, copier_, job.stop()));
  COHORT_TRY(verify_opened(prepared.package.chain, job));
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
