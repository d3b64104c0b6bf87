// CIM status codes (DSP0200 5.1.3.3, DSP0223), which both protocols report.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace cohort::cim {

enum class Status {
  kFailed = 1,
  kAccessDenied = 2,
  kInvalidNamespace = 3,
  kInvalidParameter = 4,
  kInvalidClass = 5,
  kNotFound = 6,
  kNotSupported = 7,
  kAlreadyExists = 11,
  kNoSuchProperty = 12,
  kTypeMismatch = 13,
  kQueryLanguageNotSupported = 14,
  kInvalidQuery = 15,
  kMethodNotAvailable = 16,
  kMethodNotFound = 17,
  kInvalidEnumerationContext = 21,
  kInvalidOperationTimeout = 22,
  kFilteredEnumerationNotSupported = 25,
  kContinuationOnErrorNotSupported = 26,
  kServerLimitsExceeded = 27,
  kServerIsShuttingDown = 28,
};

// What an error of the program is to a client.
[[nodiscard]] Status status_of(ErrorCode code);

}  // namespace cohort::cim
