// Msvm_LastAppliedSnapshot: to which snapshot a machine has gone back last.
#pragma once

#include <map>

#include "domain/job.h"
#include "provider/provider.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

// Of each collection that has gone back to a snapshot, the last job that did so, among those that are remembered.
[[nodiscard]] Result<std::map<CollectionId, Job>> last_applies(service::StateStore& state);

// By the jobs that are remembered, and by the order in which snapshots were taken and arrived at; of snapshots that are
// still there.
class LastAppliedSnapshotProvider final : public AssociationProvider {
 public:
  explicit LastAppliedSnapshotProvider(service::StateStore& state) : state_(state) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_LastAppliedSnapshot"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::StateStore& state_;
};

}  // namespace cohort::provider
