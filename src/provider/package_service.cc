#include "provider/package_service.h"

#include "provider/parameters.h"
#include "provider/snapshot_settings.h"
#include "service/stored_packages.h"
#include "service/verify_package.h"

namespace cohort::provider {
namespace {

using cim::Value;

constexpr std::uint32_t kLongestTry = 3600;  // seconds

cim::Instance instance_of(const service::StoredPackage& package) {
  cim::Instance instance;
  instance.class_name = "Cohort_Package";
  instance.set("Directory", Value(package.package.string()));
  std::vector<std::string> parents;
  for (const auto& parent : package.parents) parents.push_back(parent.package.string());
  instance.set("Parents", Value::array_of(parents));
  if (!package.problem.empty()) instance.set("Problem", Value(package.problem));
  if (!package.manifest) return instance;
  instance.set("ElementName", Value(package.manifest->snapshot_name));
  instance.set("VirtualSystemCollectionId", Value(upper(package.manifest->collection.str())));
  instance.set("CollectionName", Value(package.manifest->collection_name));
  instance.set("SnapshotId", Value(upper(package.manifest->snapshot.str())));
  instance.set("Instant", Value(cim::Datetime::at(package.manifest->instant)));
  return instance;
}

bool flag_in(const MethodCall& call, std::string_view parameter) {
  const auto* flag = call.parameter(parameter).get_if<bool>();
  return flag != nullptr && *flag;
}

}  // namespace

PackageService::PackageService(service::Operations& operations, service::BackgroundJobs& jobs, const ExportRoots& roots,
                               const ServiceSurroundings& surroundings)
    : ServiceProvider("Cohort_PackageService", "Package Service", CodeFamily::kSnapshots, surroundings),
      operations_(operations),
      jobs_(jobs),
      roots_(roots) {
  offer("ListPackages", Right::kLook, [this](const MethodCall& call) { return list_packages(call); });
  offer("VerifyPackage", Right::kOperate, [this](const MethodCall& call) { return verify_package(call); });
  offer("MergePackage", Right::kOperate, [this](const MethodCall& call) { return merge_package(call); });
  offer("TryPackage", Right::kOperate, [this](const MethodCall& call) { return try_package(call); });
  offer("ImportPackage", Right::kAdminister, [this](const MethodCall& call) { return import_package(call); });
}

Result<Path> PackageService::folder_in(const MethodCall& call, std::string_view parameter) const {
  COHORT_ASSIGN(const std::string text, text_of(call, parameter));
  return roots_.allowed(text);
}

Result<cim::MethodResult> PackageService::list_packages(const MethodCall& call) {
  COHORT_ASSIGN(const Path folder, folder_in(call, "Folder"));
  COHORT_ASSIGN(const auto packages, service::packages_in(folder));
  std::vector<cim::Element> elements;
  for (const auto& package : packages) elements.push_back(Value(instance_of(package)).element());
  return returned(kNoError, {{"Packages", Value::array(cim::Type::kInstance, std::move(elements))}});
}

Result<cim::MethodResult> PackageService::verify_package(const MethodCall& call) {
  COHORT_ASSIGN(const Path folder, folder_in(call, "Directory"));
  const auto verify = [folder](service::JobContext& job) -> Result<void> {
    COHORT_ASSIGN(const auto report, service::verify_package(folder, job));
    return service::whole_or_error(report);
  };
  COHORT_ASSIGN(const Job job, jobs_.start({JobType::kVerify, folder.string(), call.caller.name}, verify));
  return started(job);
}

Result<cim::MethodResult> PackageService::merge_package(const MethodCall& call) {
  service::MergeRequest request;
  COHORT_ASSIGN(request.package, folder_in(call, "Directory"));
  COHORT_ASSIGN(request.directory, folder_in(call, "NewDirectory"));
  COHORT_ASSIGN(const Job job, jobs_.start({JobType::kMergePackage, request.package.string(), call.caller.name},
                                           as_job([=, this](service::JobContext& context) {
                                             return operations_.merge_package.run(request, context);
                                           })));
  return started(job);
}

Result<cim::MethodResult> PackageService::import_package(const MethodCall& call) {
  service::ImportRequest request;
  COHORT_ASSIGN(request.directory, folder_in(call, "Directory"));
  if (const auto* prefix = call.parameter("NamePrefix").get_if<std::string>()) request.name_prefix = *prefix;
  request.keep_ids = flag_in(call, "KeepIds");
  request.start = flag_in(call, "Start");
  COHORT_ASSIGN(const Job job, jobs_.start({JobType::kImport, request.directory.string(), call.caller.name},
                                           as_job([=, this](service::JobContext& context) {
                                             return operations_.import_package.run(request, context);
                                           })));
  return started(job);
}

Result<cim::MethodResult> PackageService::try_package(const MethodCall& call) {
  service::TryRequest request;
  COHORT_ASSIGN(request.directory, folder_in(call, "Directory"));
  const auto* seconds = call.parameter("RunFor").get_if<std::uint32_t>();
  if (seconds == nullptr || *seconds == 0 || *seconds > kLongestTry) {
    return fail(ErrorCode::kInvalidArgument, "RunFor is 1 to {} seconds.", kLongestTry);
  }
  request.run_for = std::chrono::seconds(*seconds);
  COHORT_ASSIGN(const Job job, jobs_.start({JobType::kTry, request.directory.string(), call.caller.name},
                                           as_job([=, this](service::JobContext& context) {
                                             return operations_.try_package.run(request, context, {});
                                           })));
  return started(job);
}

}  // namespace cohort::provider
