// Names that the shell's completion offers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/session.h"

namespace cohort::cli {

// Kinds are those of positionals: COLLECTION, SNAPSHOT, MACHINE, MEMBER (a machine or a collection), JOB.
// Fails with kInvalidArgument for another. Names that hold a line end are left out.
[[nodiscard]] Result<std::vector<std::string>> names_of(std::string_view kind, client::Session& session);

}  // namespace cohort::cli
