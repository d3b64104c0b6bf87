// What systemd is told of the daemon's life (sd_notify(3)); nothing happens when it does not listen.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace cohort::daemon {

enum class Life { kReady, kReloading, kStopping };
void tell_service_manager(Life life, const std::string& status);

// How often it wants to hear that the daemon is alive; nothing if it does not.
[[nodiscard]] std::optional<std::chrono::milliseconds> watchdog_interval();
void tell_watchdog();

}  // namespace cohort::daemon
