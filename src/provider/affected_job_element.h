// Msvm_AffectedJobElement: what a job has made or works on; Msvm_OwningJobElement: the service that it belongs to.
#pragma once

#include <string>

#include "provider/provider.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

// One element of each job, that which a client looks for: the snapshot or reference point that it has made, or
// that it exports or removes while that exists.
class AffectedJobElementProvider final : public AssociationProvider {
 public:
  explicit AffectedJobElementProvider(service::StateStore& state) : state_(state) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_AffectedJobElement"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::StateStore& state_;
};

class OwningJobElementProvider final : public AssociationProvider {
 public:
  OwningJobElementProvider(service::StateStore& state, std::string host_name)
      : state_(state), host_name_(std::move(host_name)) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_OwningJobElement"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::StateStore& state_;
  std::string host_name_;
};

}  // namespace cohort::provider
