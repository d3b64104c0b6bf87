// Cohort_PackageService: looks at, verifies, merges, imports and tries packages below the folders for exports.
#pragma once

#include "provider/export_roots.h"
#include "provider/service_provider.h"
#include "service/background_jobs.h"
#include "service/operations.h"

namespace cohort::provider {

class PackageService final : public ServiceProvider {
 public:
  PackageService(service::Operations& operations, service::BackgroundJobs& jobs, const ExportRoots& roots,
                 const ServiceSurroundings& surroundings);

 private:
  [[nodiscard]] Result<cim::MethodResult> list_packages(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> verify_package(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> merge_package(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> import_package(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> try_package(const MethodCall& call);
  [[nodiscard]] Result<Path> folder_in(const MethodCall& call, std::string_view parameter) const;

  service::Operations& operations_;
  service::BackgroundJobs& jobs_;
  const ExportRoots& roots_;
};

}  // namespace cohort::provider
