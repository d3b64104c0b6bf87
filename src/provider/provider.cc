#include "provider/provider.h"

#include <algorithm>

namespace cohort::provider {

const cim::Value& MethodCall::parameter(std::string_view name) const {
  static const cim::Value kNull;
  const auto* found = cim::find_named(parameters, name);
  return found == nullptr ? kNull : found->value;
}

Result<std::optional<cim::Instance>> ClassProvider::find(const cim::ObjectPath& path) {
  COHORT_ASSIGN(const auto all, instances());
  return with_keys(all, path);
}

Result<void> ClassProvider::name_all(const std::function<void(const cim::Instance&)>& take) {
  COHORT_ASSIGN(const auto all, instances());
  std::ranges::for_each(all, take);
  return {};
}

Right ClassProvider::right_for(std::string_view /*method*/) const { return Right::kAdminister; }

Result<cim::MethodResult> ClassProvider::invoke(const MethodCall& call) {
  return fail(ErrorCode::kUnsupported, "The method {} of {} is not supported.", call.method, class_name());
}

Result<void> ClassProvider::modify(const cim::Instance& /*changed*/, const Caller& /*caller*/) {
  return fail(ErrorCode::kUnsupported, "Instances of {} cannot be changed.", class_name());
}

Result<std::vector<cim::Instance>> AssociationProvider::referring_to(const cim::ObjectPath& end) {
  COHORT_ASSIGN(auto all, instances());
  std::erase_if(all, [&](const cim::Instance& pair) {
    return std::ranges::none_of(pair.properties, [&](const cim::NamedValue& property) {
      const auto* reference = property.value.reference();
      return reference != nullptr && cim::same_instance(*reference, end);
    });
  });
  return all;
}

std::optional<cim::Instance> with_keys(const std::vector<cim::Instance>& instances, const cim::ObjectPath& path) {
  const auto has_keys = [&](const cim::Instance& instance) {
    return std::ranges::all_of(
        path.keys, [&](const cim::NamedValue& key) { return cim::same_key_value(instance.at(key.name), key.value); });
  };
  const auto found = std::ranges::find_if(instances, has_keys);
  return found == instances.end() ? std::nullopt : std::optional(*found);
}

}  // namespace cohort::provider
