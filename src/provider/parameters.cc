#include "provider/parameters.h"

namespace cohort::provider {

Result<std::string> text_of(const MethodCall& call, std::string_view parameter) {
  const auto* text = call.parameter(parameter).get_if<std::string>();
  if (text == nullptr || text->empty()) return fail(ErrorCode::kInvalidArgument, "{} is needed.", parameter);
  return *text;
}

Result<cim::ObjectPath> reference_of(const MethodCall& call, std::string_view parameter) {
  const auto* path = call.parameter(parameter).reference();
  if (path == nullptr) return fail(ErrorCode::kInvalidArgument, "{} is needed.", parameter);
  return *path;
}

Result<const cim::Instance*> settings_of(const MethodCall& call, std::string_view parameter) {
  const cim::Value& value = call.parameter(parameter);
  const auto* text = value.get_if<std::string>();
  if (value.instance() == nullptr && text != nullptr && !text->empty()) {
    return fail(ErrorCode::kInvalidArgument, "{} is an embedded instance, and \"{}\" is none.", parameter, *text);
  }
  return value.instance();
}

}  // namespace cohort::provider
