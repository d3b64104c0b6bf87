#include "service/testing/lab.h"

namespace cohort::service {

MachineId Lab::add_machine(const std::string& name, PowerState power, const std::vector<std::string>& targets) {
  FakeMachine machine;
  machine.summary.name = name;
  machine.summary.power = power;
  machine.definition = "definition of " + name;
  if (power != PowerState::kOff) machine.memory = "memory of " + name;
  for (const auto& target : targets) machine.disks[target] = "/nonexistent/disks/" + name + "-" + target + ".qcow2";
  return hypervisor.add_machine(std::move(machine));
}

Collection Lab::add_collection(const std::string& name, const std::vector<std::string>& members, CollectionKind kind) {
  return collections.create(name, kind, members).value();
}

void Lab::add_shop() {
  add_machine("web", PowerState::kRunning, {"vda", "vdb"});
  add_machine("database", PowerState::kRunning);
  add_machine("cache", PowerState::kPaused);
  add_machine("archive", PowerState::kOff);
  add_collection("shop", {"web", "database", "cache", "archive"});
  control.clear();
}

Result<Snapshot> Lab::take_snapshot(const TakeSnapshotRequest& request, const JobWatch& watch) {
  return engine.run<Snapshot>(job_type_of(request), request.collection, watch,
                              [&](JobContext& job) { return take.run(request, job); });
}

Result<AppliedSnapshot> Lab::apply_snapshot(const ApplyRequest& request) {
  return engine.run<AppliedSnapshot>(JobType::kApplySnapshot, request.snapshot, {},
                                     [&](JobContext& job) { return apply.run(request, job); });
}

Result<DeletedSnapshot> Lab::delete_snapshot(const DeleteSnapshotRequest& request, const JobWatch& watch) {
  return engine.run<DeletedSnapshot>(job_type_of(request), request.snapshot, watch,
                                     [&](JobContext& job) { return remove.run(request, job); });
}

Result<Snapshot> Lab::create_reference_point(const std::string& name, const JobWatch& watch) {
  auto request = snapshot_of("shop", name);
  request.kind = SnapshotKind::kReferencePoint;
  return take_snapshot(request, watch);
}

Result<Snapshot> Lab::convert(const std::string& snapshot, const JobWatch& watch) {
  return engine.run<Snapshot>(JobType::kConvert, snapshot, watch,
                              [&](JobContext& job) { return convert_snapshot(snapshot, store, job); });
}

Result<DeletedSnapshot> Lab::delete_reference_point(const std::string& name) {
  DeleteSnapshotRequest request{name};
  request.is_reference_point = true;
  return delete_snapshot(request);
}

std::vector<std::string> Lab::left_open() {
  std::vector<std::string> left;
  const auto jobs = kept.jobs().value();
  for (const auto& job : jobs) {
    if (!is_ended(job.state)) left.push_back(fmt::format("a {} job that has not ended", to_string(job.type)));
    const auto steps = kept.undo_steps(job.id).value();
    for (const auto& step : steps) {
      left.push_back(fmt::format("{} {}", to_string(step.kind), step.subject));
    }
  }
  return left;
}

}  // namespace cohort::service
