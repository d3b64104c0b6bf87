// What `qemu-img -p` prints while it works.
#pragma once

#include <optional>
#include <string_view>

namespace cohort::hypervisor {

// 0.0 to 1.0 from the last "    (12.34/100%)\r" in the text; nothing if there is none.
[[nodiscard]] std::optional<double> read_qemu_img_progress(std::string_view text);

}  // namespace cohort::hypervisor
