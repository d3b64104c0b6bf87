#include "provider/exported_reference_point.h"

#include <algorithm>

#include "provider/paths.h"
#include "service/stored_packages.h"

namespace cohort::provider {
namespace {

using cim::Value;
using Texts = std::vector<std::string>;

void add_machines(const Snapshot& point, cim::Instance& instance) {
  Texts machines;
  for (const MemberSnapshot& member : point.members) machines.push_back(upper(member.machine.str()));
  instance.set("VirtualMachineId", Value::array_of(machines));
}

void add_files(const Path& package, const package::Manifest& manifest, cim::Instance& instance) {
  Texts disks, configurations, guest_states;
  for (const auto& machine : manifest.machines) {
    configurations.push_back(package / machine.configuration.file);
    if (machine.nvram) guest_states.push_back(package / machine.nvram->file);
    for (const auto& disk : machine.disks) disks.push_back(package / disk.file.file);
  }
  instance.set("ExportedDisks", Value::array_of(disks));
  instance.set("ExportedConfigFilePaths", Value::array_of(configurations));
  instance.set("ExportedGuestStateFilePaths", Value::array_of(guest_states));
  instance.set("ExportedLogFilePaths", Value::array_of(Texts()));
  instance.set("ExportedRuntimeFilePaths", Value::array_of(Texts()));
}

// The id under which the base of a difference is known now; that of its instant if it is gone.
std::string base_of(const package::ParentPackage& parent, const std::vector<Snapshot>& points) {
  const auto found = std::ranges::find(points, parent.snapshot, &Snapshot::id);
  return upper(found == points.end() ? parent.snapshot.str() : public_id(*found));
}

}  // namespace

Result<void> add_exported_reference_point(const Job& job, service::StateStore& state, cim::Instance& instance) {
  COHORT_ASSIGN(const auto points, state.snapshots());
  if (job.works_on.collection) instance.set("CollectionId", Value(upper(job.works_on.collection->str())));
  if (!job.works_on.point.empty()) instance.set("ReferencePointGroupId", Value(upper(job.works_on.point)));
  const auto point =
      std::ranges::find(points, job.works_on.point, [](const Snapshot& each) { return public_id(each); });
  if (point != points.end()) add_machines(*point, instance);
  if (job.result.empty()) return {};
  instance.set("ExportDirectory", Value(job.result));
  const auto stored = service::stored_package(job.result);
  if (!stored || !stored->manifest) return {};
  add_files(job.result, *stored->manifest, instance);
  if (stored->manifest->parent) {
    instance.set("BaseReferencePointGroupId", Value(base_of(*stored->manifest->parent, points)));
  }
  return {};
}

}  // namespace cohort::provider
