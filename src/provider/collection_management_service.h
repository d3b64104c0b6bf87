// Msvm_CollectionManagementService: makes, changes and removes collections. All of it is done when a call returns.
#pragma once

#include "provider/service_provider.h"
#include "service/collections.h"

namespace cohort::provider {

class CollectionManagementService final : public ServiceProvider {
 public:
  CollectionManagementService(service::Collections& collections, const ServiceSurroundings& surroundings);

 private:
  using Change = Result<cim::MethodResult> (CollectionManagementService::*)(const MethodCall& call);
  void offer_change(const char* method, Change change);

  [[nodiscard]] Result<cim::MethodResult> define_collection(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> rename_collection(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> destroy_collection(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> add_member(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> remove_member(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> remove_member_by_id(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> remove(const cim::ObjectPath& member, const CollectionId& from);

  service::Collections& collections_;
};

}  // namespace cohort::provider
