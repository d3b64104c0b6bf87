#include "hypervisor/qemu_img_progress.h"

#include <algorithm>
#include <charconv>

namespace cohort::hypervisor {

std::optional<double> read_qemu_img_progress(std::string_view text) {
  const std::size_t end = text.rfind("/100%)");
  if (end == std::string_view::npos) return std::nullopt;
  const std::size_t begin = text.rfind('(', end);
  if (begin == std::string_view::npos) return std::nullopt;
  double percent = 0;
  const auto parsed = std::from_chars(text.data() + begin + 1, text.data() + end, percent);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + end) return std::nullopt;
  return std::clamp(percent / 100.0, 0.0, 1.0);
}

}  // namespace cohort::hypervisor
