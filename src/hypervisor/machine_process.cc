#include "hypervisor/machine_process.h"

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <ctime>
#include <sstream>

namespace cohort::hypervisor {
namespace {

constexpr std::uint64_t kMaxBytes = 4096;
// Of /proc/<pid>/stat, after the name in parentheses: proc(5), "starttime" is the 22nd of all.
constexpr int kFieldsBeforeStart = 19;

template <typename T>
std::optional<T> read_number(const std::string& text) {
  T number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

// When this host was started, by its wall clock of now.
WallTime boot_time() {
  std::timespec since{};
  ::clock_gettime(CLOCK_BOOTTIME, &since);
  const auto up = std::chrono::seconds(since.tv_sec) + std::chrono::nanoseconds(since.tv_nsec);
  return SystemClock().wall() - std::chrono::duration_cast<Microseconds>(up);
}

std::optional<WallTime> start_of(pid_t process) {
  const auto stat = read_file("/proc/" + std::to_string(process) + "/stat", kMaxBytes);
  if (!stat) return std::nullopt;
  const std::size_t name_end = stat->rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat->substr(name_end + 1));
  std::string field;
  for (int i = 0; i <= kFieldsBeforeStart; ++i) fields >> field;
  const auto ticks = read_number<std::uint64_t>(field);
  const long ticks_per_second = ::sysconf(_SC_CLK_TCK);
  if (!ticks || ticks_per_second <= 0) return std::nullopt;
  return boot_time() + Microseconds(*ticks * 1'000'000 / static_cast<std::uint64_t>(ticks_per_second));
}

}  // namespace

std::optional<MachineProcess> find_process(const Path& folder, const std::string& machine) {
  const auto text = read_file(folder / (machine + ".pid"), kMaxBytes);
  const auto id = text ? read_number<pid_t>(*text) : std::nullopt;
  if (!id || *id <= 0) return std::nullopt;
  const auto started = start_of(*id);
  if (!started) return std::nullopt;
  return MachineProcess{*id, *started};
}

}  // namespace cohort::hypervisor
