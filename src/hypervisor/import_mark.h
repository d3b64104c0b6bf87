// Who defined a machine: a mark of the import that did, in the definition's <metadata>.
#pragma once

#include <string>

#include "base/result.h"

namespace cohort::hypervisor {

// The definition with this mark in place of whatever marks it has; empty: without any. libvirt keeps the mark when the
// definition is edited; a machine that was defined anew by somebody else does not have it.
// Fails like Document::parse.
[[nodiscard]] Result<std::string> with_import_mark(const std::string& definition, const std::string& mark);

// The mark in a definition; empty if it has none.
[[nodiscard]] Result<std::string> import_mark_in(const std::string& definition);

}  // namespace cohort::hypervisor
