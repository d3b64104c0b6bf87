#include "cli/output/json.h"

namespace cohort::cli {

std::string to_text(const Json& document) {
  return document.dump(2, ' ', false, nlohmann::detail::error_handler_t::replace) + "\n";
}

Json to_json(const Error& error) {
  return Json{
      {"code", to_string(error.code)}, {"message", error.message}, {"cause", error.cause}, {"context", error.context}};
}

Json to_json(const client::RecoveryReport& report) {
  return Json{{"actions", report.actions}, {"failures", report.failures}};
}

}  // namespace cohort::cli
