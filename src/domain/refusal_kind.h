// Why an import refuses a part of a machine's configuration. docs/security.md lists what is checked.
#pragma once

#include <string_view>

#include "base/result.h"

namespace cohort {

enum class RefusalKind {
  kMalformed,         // no XML, or a DOCTYPE, or too large or deep; cannot be trusted away
  kUnknownElement,    // not on the list of what is known to be harmless
  kUnknownAttribute,  // likewise
  kUnexpectedValue,   // a value outside those known to be harmless
  kCommandLine,       // changes how QEMU is started
  kHostDevice,        // reaches a device of the host
  kHostPath,          // names a file or folder of the host
  kNetwork,           // reaches into the host's network beyond attaching to it
  kCharacterDevice,   // connects a port of the guest to a file, socket or device of the host
  kHostAction,        // makes the host do something when the guest fails, such as writing a dump
};

// The stable name of a kind ("host-device").
[[nodiscard]] std::string_view to_string(RefusalKind kind);
// A kind that a user may trust: all but kMalformed. kInvalidArgument names those that there are.
[[nodiscard]] Result<RefusalKind> trusted_kind_from(std::string_view name);

}  // namespace cohort
