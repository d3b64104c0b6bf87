// Answers the operations on classes and qualifiers from the schema.
#pragma once

#include "cim/class_store.h"
#include "cim/operation.h"
#include "provider/outcome.h"

namespace cohort::provider {

// Classes come whole: what of them is sent is the codecs' matter.
[[nodiscard]] Outcome<cim::Response> answer(const cim::GetClass& get, const cim::ClassStore& classes);
[[nodiscard]] Outcome<cim::Response> answer(const cim::EnumerateClasses& list, const cim::ClassStore& classes);
[[nodiscard]] Outcome<cim::Response> answer(const cim::EnumerateClassNames& list, const cim::ClassStore& classes);
[[nodiscard]] Outcome<cim::Response> answer(const cim::GetQualifier& get, const cim::ClassStore& classes);
[[nodiscard]] Outcome<cim::Response> answer(const cim::EnumerateQualifiers& list, const cim::ClassStore& classes);

}  // namespace cohort::provider
