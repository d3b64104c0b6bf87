#include "base/qcow2_extensions.h"

#include "base/big_endian.h"

namespace cohort {
namespace {

constexpr std::uint32_t kEnd = 0;
constexpr std::uint64_t kPrefix = 8;  // type and length
constexpr std::uint64_t kAlignment = 8;

}  // namespace

Result<std::optional<Qcow2Extension>> Qcow2Extensions::next() {
  if (place_ + kPrefix > head_.size()) return std::nullopt;
  const auto type = big_endian<std::uint32_t>(head_, place_);
  const auto length = big_endian<std::uint32_t>(head_, place_ + 4);
  if (type == kEnd) return std::nullopt;
  place_ += kPrefix;
  if (length > head_.size() - place_) {
    return fail(ErrorCode::kCorrupt, "The header extension {:#x} of {} bytes does not fit.", type, length);
  }
  const Qcow2Extension extension{type, head_.substr(place_, length)};
  place_ += (std::uint64_t{length} + kAlignment - 1) / kAlignment * kAlignment;
  return extension;
}

}  // namespace cohort
