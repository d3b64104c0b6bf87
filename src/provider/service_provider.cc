#include "provider/service_provider.h"

#include <utility>

#include "provider/paths.h"

namespace cohort::provider {

ServiceProvider::ServiceProvider(std::string class_name, std::string title, CodeFamily family,
                                 const ServiceSurroundings& surroundings)
    : class_name_(std::move(class_name)), title_(std::move(title)), family_(family), surroundings_(surroundings) {
  // What all services inherit has codes of its own, in which 1 is "not supported". They run as long as this program.
  for (const char* inherited : {"StartService", "StopService", "RequestStateChange"}) {
    offer(inherited, Right::kNone, [](const MethodCall&) { return returned(1); });
  }
}

Result<std::vector<cim::Instance>> ServiceProvider::instances() {
  cim::Instance service;
  service.class_name = class_name_;
  for (auto& key : path_of_service(class_name_, surroundings_.host_name).keys) service.set(key.name, key.value);
  service.set("ElementName", cim::Value(title_));
  service.set("Caption", cim::Value(title_));
  service.set("Status", cim::Value("OK"));
  service.set("HealthState", cim::Value(std::uint16_t{5}));
  service.set("EnabledState", cim::Value(std::uint16_t{2}));
  service.set("StartMode", cim::Value("Automatic"));
  service.set("Started", cim::Value(true));
  return std::vector{std::move(service)};
}

void ServiceProvider::offer(std::string method, Right right, Run run) {
  methods_.push_back({std::move(method), right, std::move(run)});
}

Right ServiceProvider::right_for(std::string_view method) const {
  const auto* found = cim::find_named(methods_, method);
  return found == nullptr ? Right::kNone : found->right;
}

Result<cim::MethodResult> ServiceProvider::invoke(const MethodCall& call) {
  const auto* found = cim::find_named(methods_, call.method);
  auto result = found != nullptr
                    ? found->run(call)
                    : fail(ErrorCode::kUnsupported, "The method {} of {} is not supported.", call.method, class_name_);
  if (result) return result;
  if (surroundings_.on_refusal) surroundings_.on_refusal(call, result.error());
  return returned(return_code(result.error().code, family_));
}

}  // namespace cohort::provider
