// All operations over one state and one hypervisor.
#pragma once

#include <memory>
#include <utility>

#include "service/apply_snapshot.h"
#include "service/backup.h"
#include "service/collections.h"
#include "service/delete_snapshot.h"
#include "service/doctor.h"
#include "service/export_snapshot.h"
#include "service/import_package.h"
#include "service/job_engine.h"
#include "service/merge_package.h"
#include "service/ports/guard.h"
#include "service/prune_packages.h"
#include "service/take_snapshot.h"
#include "service/try_package.h"
#include "service/undo.h"

namespace cohort::service {

// Threads: as each operation says. One job at a time may change machines (see BackgroundJobs).
class Operations {
 public:
  // All but the guard outlive this object.
  Operations(Hypervisor& hypervisor, StateStore& state, DiskCopier& copier, std::unique_ptr<Guard> guard,
             const Clock& clock)
      : guard_(std::move(guard)),
        undo(hypervisor, state),
        engine(
            state, [this](const JobId& job, JobContext& running) { return undo.run(job, running); }, clock),
        collections(hypervisor, state, clock),
        take_snapshot(hypervisor, state, *guard_, clock),
        apply_snapshot(take_snapshot, undo, hypervisor, state),
        delete_snapshot(hypervisor, state),
        export_snapshot(state, copier, clock),
        import_package(hypervisor, copier),
        try_package(hypervisor, state, undo, clock),
        merge_package(copier, clock),
        prune_packages(copier, clock),
        backup(take_snapshot, export_snapshot, delete_snapshot, state, clock),
        doctor(hypervisor, state) {}
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;

 private:
  std::unique_ptr<Guard> guard_;

 public:
  Undo undo;
  JobEngine engine;
  Collections collections;
  TakeSnapshot take_snapshot;
  ApplySnapshot apply_snapshot;
  DeleteSnapshot delete_snapshot;
  ExportSnapshot export_snapshot;
  ImportPackage import_package;
  TryPackage try_package;
  MergePackage merge_package;
  PrunePackages prune_packages;
  Backup backup;
  Doctor doctor;
};

}  // namespace cohort::service
