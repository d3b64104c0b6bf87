// What the words mean that qemu-img ends with.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace cohort::hypervisor {

// The error for a qemu-img that has failed with these words (under LC_ALL=C) on its standard error: they tell the code,
// and a remedy that is put behind `message`.
[[nodiscard]] Error qemu_img_error(std::string message, std::string_view words);

}  // namespace cohort::hypervisor
