// Msvm_VirtualSystemManagementService: tells facts about machines; defining, changing and moving them is not offered.
#pragma once

#include "provider/service_provider.h"
#include "provider/summary_information.h"

namespace cohort::provider {

class VirtualSystemManagementService final : public ServiceProvider {
 public:
  VirtualSystemManagementService(SummaryReader summaries, const ServiceSurroundings& surroundings);

 private:
  [[nodiscard]] Result<cim::MethodResult> summary_information(const MethodCall& call);

  SummaryReader summaries_;
};

}  // namespace cohort::provider
