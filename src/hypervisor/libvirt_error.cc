#include "hypervisor/libvirt_error.h"

#include <libvirt/virterror.h>

#include <cerrno>
#include <string_view>
#include <utility>

namespace cohort::hypervisor {
namespace {

// Errors whose number says less than what else libvirt tells.
ErrorCode code_with_details(const virError& error) {
  const std::string_view words = error.message == nullptr ? std::string_view() : error.message;
  if (words.find("keepalive timeout") != std::string_view::npos) return ErrorCode::kTimeout;
  const bool is_refused = error.code == VIR_ERR_SYSTEM_ERROR && (error.int1 == EACCES || error.int1 == EPERM);
  return is_refused ? ErrorCode::kPermission : hypervisor::code_of(error.code);
}

}  // namespace

ErrorCode code_of(int libvirt_error) {
  switch (libvirt_error) {
    case VIR_ERR_NO_DOMAIN:
      return ErrorCode::kNotFound;
    case VIR_ERR_DOM_EXIST:
      return ErrorCode::kAlreadyExists;
    case VIR_ERR_OPERATION_INVALID:
    case VIR_ERR_BLOCK_COPY_ACTIVE:
      return ErrorCode::kInvalidState;
    case VIR_ERR_NO_SUPPORT:
    case VIR_ERR_CONFIG_UNSUPPORTED:
    case VIR_ERR_OPERATION_UNSUPPORTED:
    case VIR_ERR_ARGUMENT_UNSUPPORTED:
      return ErrorCode::kUnsupported;
    case VIR_ERR_OPERATION_TIMEOUT:
    case VIR_ERR_AGENT_UNRESPONSIVE:
      return ErrorCode::kTimeout;
    case VIR_ERR_AUTH_FAILED:
    case VIR_ERR_AUTH_CANCELLED:
    case VIR_ERR_AUTH_UNAVAILABLE:
    case VIR_ERR_ACCESS_DENIED:
    case VIR_ERR_OPERATION_DENIED:
      return ErrorCode::kPermission;
    case VIR_ERR_RESOURCE_BUSY:
      return ErrorCode::kInUse;
    default:
      return ErrorCode::kHypervisor;
  }
}

Error libvirt_error(std::string message) {
  const virErrorPtr last = virGetLastError();
  if (last == nullptr) return Error{ErrorCode::kHypervisor, std::move(message), "libvirt gives no reason", {}};
  const char* words = last->message == nullptr ? "" : last->message;
  return Error{code_with_details(*last), std::move(message), words, {}};
}

Error machine_error(virDomainPtr domain, fmt::format_string<const char*> sentence) {
  Error error = libvirt_error({});
  const char* name = virDomainGetName(domain);
  error.message = fmt::format(sentence, name == nullptr ? "?" : name);
  return error;
}

}  // namespace cohort::hypervisor
