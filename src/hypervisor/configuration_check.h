// What a machine's configuration may ask of this host when it comes from a stranger.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/refusal_kind.h"

namespace cohort::hypervisor {

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
