#include "daemon/service_manager.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <cstdint>
#include <string_view>

namespace cohort::daemon {
namespace {

std::string_view state_of(Life life) {
  switch (life) {
    case Life::kReady:
      return "READY=1";
    case Life::kReloading:
      return "RELOADING=1";
    case Life::kStopping:
      return "STOPPING=1";
  }
  return {};
}

}  // namespace

void tell_service_manager(Life life, const std::string& status) {
  ::sd_notify(0, fmt::format("{}\nSTATUS={}", state_of(life), status).c_str());
}

std::optional<std::chrono::milliseconds> watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds(microseconds));
}

void tell_watchdog() { ::sd_notify(0, "WATCHDOG=1"); }

}  // namespace cohort::daemon
