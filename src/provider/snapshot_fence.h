// Cohort_SnapshotFence and Cohort_MemberPause: what was measured when a snapshot was taken; and the
// associations between them and the snapshot.
#pragma once

#include "provider/provider.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

class SnapshotFenceProvider final : public ClassProvider {
 public:
  explicit SnapshotFenceProvider(service::StateStore& state) : state_(state) {}

  [[nodiscard]] std::string_view class_name() const override { return "Cohort_SnapshotFence"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::StateStore& state_;
};

class MemberPauseProvider final : public ClassProvider {
 public:
  explicit MemberPauseProvider(service::StateStore& state) : state_(state) {}

  [[nodiscard]] std::string_view class_name() const override { return "Cohort_MemberPause"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::StateStore& state_;
};

class FenceOfSnapshotProvider final : public AssociationProvider {
 public:
  explicit FenceOfSnapshotProvider(service::StateStore& state) : state_(state) {}

  [[nodiscard]] std::string_view class_name() const override { return "Cohort_FenceOfSnapshot"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::StateStore& state_;
};

class PauseInFenceProvider final : public AssociationProvider {
 public:
  explicit PauseInFenceProvider(service::StateStore& state) : state_(state) {}

  [[nodiscard]] std::string_view class_name() const override { return "Cohort_PauseInFence"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::StateStore& state_;
};

}  // namespace cohort::provider
