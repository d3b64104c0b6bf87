// Times as XML Schema writes them: 2026-03-01T12:00:00Z, P1DT2H3M4.5S.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cim/datetime.h"

namespace cohort::codec::wsman {

// An xs:dateTime, an xs:duration without years and months, or CIM's own form. Fails with kInvalidArgument.
[[nodiscard]] Result<cim::Datetime> read_time(std::string_view text);
// An xs:dateTime in UTC, or an xs:duration.
[[nodiscard]] std::string to_xs_time(const cim::Datetime& time);

}  // namespace cohort::codec::wsman
