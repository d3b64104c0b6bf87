#include "hypervisor/qemu_img_error.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace cohort::hypervisor {
namespace {

struct Meaning {
  std::string_view words;
  int number;  // what the system call gave to qemu-img
};

constexpr std::array<Meaning, 5> kMeanings{{
    {"No space left on device", ENOSPC},
    {"Disk quota exceeded", EDQUOT},
    {"Read-only file system", EROFS},
    {"Permission denied", EACCES},
    {"Input/output error", EIO},
}};

}  // namespace

Error qemu_img_error(std::string message, std::string_view words) {
  const auto* known = std::ranges::find_if(
      kMeanings, [&](const Meaning& meaning) { return words.find(meaning.words) != std::string_view::npos; });
  if (known != kMeanings.end()) {
    Error error = system_error(known->number, std::move(message));
    error.cause = words;
    return error;
  }
  const bool is_held = words.find(" lock") != std::string_view::npos;
  return Error{is_held ? ErrorCode::kInUse : ErrorCode::kIo, std::move(message), std::string(words), {}};
}

}  // namespace cohort::hypervisor
