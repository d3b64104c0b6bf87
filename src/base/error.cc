#include "base/error.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace cohort {
namespace {

struct Name {
  ErrorCode code;
  std::string_view text;
};

constexpr std::array<Name, 14> kNames{{
    {ErrorCode::kInvalidArgument, "invalid_argument"},
    {ErrorCode::kNotFound, "not_found"},
    {ErrorCode::kAlreadyExists, "already_exists"},
    {ErrorCode::kInvalidState, "invalid_state"},
    {ErrorCode::kInUse, "in_use"},
    {ErrorCode::kUnsupported, "unsupported"},
    {ErrorCode::kTimeout, "timeout"},
    {ErrorCode::kCancelled, "cancelled"},
    {ErrorCode::kPermission, "permission"},
    {ErrorCode::kNoSpace, "no_space"},
    {ErrorCode::kIo, "io"},
    {ErrorCode::kCorrupt, "corrupt"},
    {ErrorCode::kHypervisor, "hypervisor"},
    {ErrorCode::kInternal, "internal"},
}};

ErrorCode code_for(int error_number) {
  switch (error_number) {
    case ENOENT:
      return ErrorCode::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return ErrorCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kPermission;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    default:
      return ErrorCode::kIo;
  }
}

// What to do about causes that lie with the storage; empty for the others, where it is for the message to say.
std::string_view remedy_for(int error_number) {
  switch (error_number) {
    case ENOSPC:
      return " The file system is full: make room there and try again.";
    case EDQUOT:
      return " A quota is used up: raise it, or make room, and try again.";
    case EROFS:
      return " The file system is read-only: make it writable, or choose another place.";
    case EIO:
      return " The storage below it fails: look into the kernel's log.";
    case ESTALE:
    case ENOTCONN:
      return " What was mounted there does not answer any more: mount it again.";
    default:
      return {};
  }
}

}  // namespace

std::string_view to_string(ErrorCode code) {
  const auto* found = std::ranges::find(kNames, code, &Name::code);
  return found == kNames.end() ? "internal" : found->text;
}

ErrorCode error_code_from(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name, &Name::text);
  return found == kNames.end() ? ErrorCode::kInternal : found->code;
}

Error Error::with_context(std::string frame) && {
  context.push_back(std::move(frame));
  return std::move(*this);
}

std::string Error::describe() const {
  std::string text = message;
  if (!cause.empty()) {
    text += fmt::format(" ({})", cause);
  }
  if (!context.empty()) {
    text += fmt::format(" [while {}]", fmt::join(context, ", while "));
  }
  return text;
}

Error system_error(int error_number, std::string message) {
  message += remedy_for(error_number);
  return Error{code_for(error_number), std::move(message), std::generic_category().message(error_number), {}};
}

}  // namespace cohort
