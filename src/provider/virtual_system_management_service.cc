#include "provider/virtual_system_management_service.h"

#include <utility>

namespace cohort::provider {
namespace {

// Methods that say "not supported" with the codes of CIM; all others that are not offered have Hyper-V's.
constexpr const char* kOfCim[] = {"AddResourceSettings",    "DefineSystem",         "DestroySystem",
                                  "ModifyResourceSettings", "ModifySystemSettings", "RemoveResourceSettings",
                                  "RequestStateChange",     "StartService",         "StopService"};
constexpr std::uint32_t kNotSupported = 1;
// Each is answered at length, and may be named again and again. All machines are asked for without any.
constexpr std::size_t kMostSettings = 1000;

Result<std::vector<cim::Instance>> summaries_of(SummaryReader& reader, const cim::Value& settings,
                                                const SummaryCodes& codes, const Access& access) {
  if (settings.is_null()) return reader.all(codes, access);
  if (settings.elements().size() > kMostSettings) {
    return fail(ErrorCode::kInvalidArgument, "SettingData names more than {} settings.", kMostSettings);
  }
  std::vector<cim::ObjectPath> paths;
  for (const cim::Element& each : settings.elements()) {
    const auto* path = std::get_if<cim::Shared<cim::ObjectPath>>(&each);
    if (path == nullptr) return fail(ErrorCode::kInvalidArgument, "SettingData holds a NULL.");
    paths.push_back(**path);
  }
  return reader.chosen(paths, codes, access);
}

}  // namespace

VirtualSystemManagementService::VirtualSystemManagementService(SummaryReader summaries,
                                                               const ServiceSurroundings& surroundings)
    : ServiceProvider("Msvm_VirtualSystemManagementService", "Hyper-V Virtual System Management Service",
                      CodeFamily::kManagement, surroundings),
      summaries_(std::move(summaries)) {
  offer("GetSummaryInformation", Right::kNone, [this](const MethodCall& call) { return summary_information(call); });
  for (const char* method : kOfCim) {
    offer(method, Right::kNone, [](const MethodCall&) { return returned(kNotSupported); });
  }
}

Result<cim::MethodResult> VirtualSystemManagementService::summary_information(const MethodCall& call) {
  COHORT_ASSIGN(const SummaryCodes codes, summary_codes(call.parameter("RequestedInformation")));
  COHORT_ASSIGN(auto summaries, summaries_of(summaries_, call.parameter("SettingData"), codes, call.access));
  std::vector<cim::Element> elements;
  for (auto& each : summaries) elements.emplace_back(cim::Shared<cim::Instance>(std::move(each)));
  return returned(kNoError, {{"SummaryInformation", cim::Value::array(cim::Type::kInstance, std::move(elements))}});
}

}  // namespace cohort::provider
