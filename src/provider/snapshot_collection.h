// Msvm_SnapshotCollection: the snapshots of collections that are ready.
#pragma once

#include "domain/snapshot.h"
#include "provider/provider.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

class SnapshotCollectionProvider final : public ClassProvider {
 public:
  explicit SnapshotCollectionProvider(service::StateStore& state) : state_(state) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_SnapshotCollection"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;
  [[nodiscard]] Result<std::optional<cim::Instance>> find(const cim::ObjectPath& path) override;
  [[nodiscard]] bool finds_one() const override { return true; }

 private:
  service::StateStore& state_;
};

// Whether clients are shown the snapshot: from when it is whole until it is being deleted; no reference point.
[[nodiscard]] bool is_shown_snapshot(const Snapshot& snapshot);
// Those, the oldest first.
[[nodiscard]] Result<std::vector<Snapshot>> ready_snapshots(service::StateStore& state);

}  // namespace cohort::provider
