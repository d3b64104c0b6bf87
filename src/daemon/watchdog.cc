#include "daemon/watchdog.h"

#include <algorithm>
#include <utility>

#include "daemon/service_manager.h"

namespace cohort::daemon {
namespace {

constexpr std::chrono::milliseconds kLong{3'600'000};

}  // namespace

Watchdog::Watchdog(std::optional<std::chrono::milliseconds> wanted, IsAlive is_alive)
    : is_wanted_(wanted.has_value()),
      interval_(std::min(wanted.value_or(kLong) / 2, kLong)),
      is_alive_(std::move(is_alive)) {}

bool Watchdog::look() const {
  if (!is_wanted_) return true;
  if (!is_alive_(interval_ / 2)) return false;
  tell_watchdog();
  return true;
}

}  // namespace cohort::daemon
