// The numbers that Windows' clients know faults by.
#pragma once

#include <cstdint>
#include <optional>

#include "codec/wsman/message.h"

namespace cohort::codec::wsman {

// Of a wsmanfault:WSManFault (MS-WSMV); nothing if there is none for it.
[[nodiscard]] std::optional<std::uint32_t> windows_code_of(const Fault& fault);

}  // namespace cohort::codec::wsman
