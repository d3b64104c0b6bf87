// What a machine's configuration may ask of this host when it comes from a stranger.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cohort::hypervisor {

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
[[nodiscard]] Result<RefusalKind> refusal_kind_from(std::string_view name);

struct Refusal {
  RefusalKind kind = RefusalKind::kUnknownElement;
  std::string path;     // "/domain/devices/hostdev", "/domain/devices/serial/@type"
  std::string message;  // why, one sentence without the path; printable ASCII whatever the document holds
};

inline constexpr std::size_t kMaxRefusals = 100;

// All that is refused in a configuration, in the order of the document, at most kMaxRefusals. Elements and attributes
// are allowed by list (allowed_configuration.h); what is not on it is refused. That list relies on what
// definition_for_import replaces: an accepted configuration is safe to define after that, not as it stands.
[[nodiscard]] std::vector<Refusal> find_refusals(const std::string& xml);

// kUnsupported naming all that is refused, except what is of a trusted kind; kCorrupt for a malformed one.
// Who trusts a kind trusts all below the element: a shared folder (kHostPath) can name a program to run.
[[nodiscard]] Result<void> check_configuration(const std::string& xml, const std::set<RefusalKind>& trusted = {});

}  // namespace cohort::hypervisor
