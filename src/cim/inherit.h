// What a class takes over from its superclass; a part of ClassStore.
#pragma once

#include "base/result.h"
#include "cim/class.h"

namespace cohort::cim {

// REQUIRES: `superclass` is complete, and the qualifiers of `declared` are of their types.
// Fails with kInvalidArgument as ClassStore::add says.
[[nodiscard]] Result<Class> inherit(Class declared, const Class& superclass);

}  // namespace cohort::cim
