// The compiler for MOF (DSP0004, DSP0221): what schema/*.mof and embedded instances are written in.
#pragma once

#include <string_view>

#include "base/result.h"
#include "cim/class_store.h"

namespace cohort::cim {

// Adds the qualifier types and classes of one text to a store. Read are qualifier declarations, classes and
// associations with all that stands in them, and pragmas, which mean nothing here. Instances have no place in a schema.
// Fails with kInvalidArgument, kNotFound or kAlreadyExists; the sentence begins with file:line:column. The declarations
// before the one that is wrong have been added.
[[nodiscard]] Result<void> compile_mof(std::string_view file, std::string_view text, ClassStore& store);

// Reads "instance of CLASS { name = value; … };", where values may be instances again, to kMaxNesting. The values are
// as they are written (numbers sint64, uint64 or real64; see cim::typed). Fails with kInvalidArgument.
[[nodiscard]] Result<Instance> parse_mof_instance(std::string_view text);

}  // namespace cohort::cim
