// The operations over fakes, and what tests of them ask again and again.
#pragma once

#include <string>
#include <vector>

#include "base/temporary_folder.h"
#include "service/apply_snapshot.h"
#include "service/collections.h"
#include "service/convert_snapshot.h"
#include "service/delete_snapshot.h"
#include "service/job_engine.h"
#include "service/recover.h"
#include "service/take_snapshot.h"
#include "service/testing/controlled_store.h"
#include "service/testing/fake_clock.h"
#include "service/testing/fake_guard.h"
#include "service/testing/fake_hypervisor.h"
#include "service/testing/fake_state_store.h"

namespace cohort::service {

[[nodiscard]] inline TakeSnapshotRequest snapshot_of(const std::string& collection, const std::string& name = {},
                                                     Milliseconds deadline = Milliseconds(2000)) {
  TakeSnapshotRequest request;
  request.collection = collection;
  request.name = name;
  request.deadline = deadline;
  return request;
}

class Lab {
 public:
  // Disks "/nonexistent/disks/<name>-<target>.qcow2", place 0 written.
  MachineId add_machine(const std::string& name, PowerState power, const std::vector<std::string>& targets = {"vda"});
  Collection add_collection(const std::string& name, const std::vector<std::string>& members,
                            CollectionKind kind = CollectionKind::kMachines);
  // "shop": web (running, two disks), database (running), cache (paused by its user), archive (off).
  void add_shop();

  // As jobs.
  Result<Snapshot> take_snapshot(const TakeSnapshotRequest& request, const JobWatch& watch = {});
  Result<Snapshot> take_of_shop(const std::string& name) { return take_snapshot(snapshot_of("shop", name)); }
  Result<AppliedSnapshot> apply_snapshot(const ApplyRequest& request);
  Result<DeletedSnapshot> delete_snapshot(const DeleteSnapshotRequest& request, const JobWatch& watch = {});
  Result<Snapshot> create_reference_point(const std::string& name, const JobWatch& watch = {});  // of the shop
  Result<Snapshot> convert(const std::string& snapshot, const JobWatch& watch = {});
  Result<DeletedSnapshot> delete_reference_point(const std::string& name);
  Result<UndoReport> run_recover() { return recover(store, undo, engine, clock); }

  [[nodiscard]] Job newest_job() { return kept.jobs()->front(); }
  // One line for each thing that a job which ended well or was undone must not leave: open jobs, undo steps.
  [[nodiscard]] std::vector<std::string> left_open();

  TemporaryFolder folder;
  FakeClock clock;
  CallControl control;
  FakeHypervisor hypervisor{control, clock, folder.path()};
  FakeStateStore kept{folder.path() / "state"};  // past the control
  ControlledStore store{kept, control};
  FakeGuard guard{control};
  Undo undo{hypervisor, store};
  JobEngine engine{store, [this](const JobId& job, JobContext& running) { return undo.run(job, running); }, clock};
  TakeSnapshot take{hypervisor, store, guard, clock};
  ApplySnapshot apply{take, undo, hypervisor, store};
  DeleteSnapshot remove{hypervisor, store};
  Collections collections{hypervisor, store, clock};
};

}  // namespace cohort::service
