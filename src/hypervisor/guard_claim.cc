#include "hypervisor/guard_claim.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <thread>

namespace cohort::hypervisor {
namespace {

constexpr Milliseconds kInterval{20};

// A name without a file: the kernel gives it up when its holder ends, however that happens.
Result<UniqueFd> bind_name(const std::string& name) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return Failure{system_error(errno, "A socket for the guard cannot be made.")};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // The first byte stays 0, which makes the name abstract.
  name.copy(&address.sun_path[1], sizeof(address.sun_path) - 1);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0) return socket;
  const int number = errno;
  if (number == EADDRINUSE) return fail(ErrorCode::kInUse, "\"{}\" is taken.", name);
  return Failure{system_error(number, "A machine cannot be claimed for the guard.")};
}

Result<UniqueFd> claim(const MachineId& machine, SteadyTime until) {
  const std::string name = "cohort-guard/" + machine.str();
  for (;;) {
    auto socket = bind_name(name);
    if (socket || socket.error().code != ErrorCode::kInUse) return socket;
    if (std::chrono::steady_clock::now() >= until) {
      return fail(
          ErrorCode::kInUse,
          "The machine {} is in another snapshot's fence, or still watched by the guard of one that did not end "
          "well: try again later.",
          machine.str());
    }
    std::this_thread::sleep_for(kInterval);
  }
}

}  // namespace

Result<GuardClaim> GuardClaim::acquire(std::vector<MachineId> machines, Milliseconds patience) {
  const SteadyTime until = std::chrono::steady_clock::now() + patience;
  // In one order, so that two guards never wait for each other.
  std::ranges::sort(machines);
  GuardClaim held;
  for (const MachineId& machine : machines) {
    COHORT_ASSIGN(UniqueFd socket, claim(machine, until));
    held.sockets_.push_back(std::move(socket));
  }
  return held;
}

}  // namespace cohort::hypervisor
