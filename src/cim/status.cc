#include "cim/status.h"

namespace cohort::cim {

Status status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return Status::kInvalidParameter;
    case ErrorCode::kNotFound:
      return Status::kNotFound;
    case ErrorCode::kAlreadyExists:
      return Status::kAlreadyExists;
    case ErrorCode::kUnsupported:
      return Status::kNotSupported;
    case ErrorCode::kPermission:
      return Status::kAccessDenied;
    default:
      return Status::kFailed;
  }
}

}  // namespace cohort::cim
