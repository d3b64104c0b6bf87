// Msvm_VirtualSystemCollection and Msvm_ManagementCollection: the collections, of machines and of collections.
#pragma once

#include <map>

#include "domain/collection.h"
#include "domain/job.h"
#include "provider/provider.h"
#include "service/collections.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

class CollectionProvider final : public ClassProvider {
 public:
  // Of collections of one kind.
  CollectionProvider(CollectionKind kind, service::Collections& collections, service::StateStore& state)
      : kind_(kind), collections_(collections), state_(state) {}

  [[nodiscard]] std::string_view class_name() const override;
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;
  [[nodiscard]] Result<std::optional<cim::Instance>> find(const cim::ObjectPath& path) override;
  // Another ElementName is another name of the collection.
  [[nodiscard]] Result<void> modify(const cim::Instance& changed, const Caller& caller) override;

 private:
  [[nodiscard]] Result<cim::Instance> instance_of(const Collection& collection,
                                                  const std::map<CollectionId, Job>& applies) const;
  [[nodiscard]] Result<void> add_last_apply(const Job& apply, cim::Instance& instance) const;

  CollectionKind kind_;
  service::Collections& collections_;
  service::StateStore& state_;
};

}  // namespace cohort::provider
