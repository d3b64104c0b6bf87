#include "provider/single_machine_service.h"

#include <string>
#include <vector>

namespace cohort::provider {
namespace {

constexpr std::uint32_t kNotSupported = 1;

// All methods answer with Hyper-V's code for it, but those that have the codes of CIM.
class UnsupportedService final : public ServiceProvider {
 public:
  UnsupportedService(std::string class_name, std::string title, const std::vector<std::string>& of_cim,
                     const ServiceSurroundings& surroundings)
      : ServiceProvider(std::move(class_name), std::move(title), CodeFamily::kManagement, surroundings) {
    for (const std::string& method : of_cim) {
      offer(method, Right::kNone, [surroundings](const MethodCall& call) {
        if (surroundings.on_refusal) {
          surroundings.on_refusal(call, make_error(ErrorCode::kUnsupported, "This is offered for collections alone."));
        }
        return returned(kNotSupported);
      });
    }
  }
};

}  // namespace

std::unique_ptr<ServiceProvider> make_single_snapshot_service(const ServiceSurroundings& surroundings) {
  const std::vector<std::string> of_cim = {"ApplySnapshot", "CreateSnapshot", "DestroySnapshot",
                                           "ConvertToReferencePoint"};
  return std::make_unique<UnsupportedService>("Msvm_VirtualSystemSnapshotService",
                                              "Hyper-V Virtual System Snapshot Service", of_cim, surroundings);
}

std::unique_ptr<ServiceProvider> make_single_reference_point_service(const ServiceSurroundings& surroundings) {
  const std::vector<std::string> of_cim = {"CreateReferencePoint"};
  return std::make_unique<UnsupportedService>("Msvm_VirtualSystemReferencePointService",
                                              "Virtual System Reference Point Service", of_cim, surroundings);
}

}  // namespace cohort::provider
