// cohort-guard: lets machines run again when the process that made them stand still dies, hangs or is stopped.
//
// A program of its own, in a session of its own, child of nobody, with its own connections: it shares nothing with the
// process it watches but one socket. Its lines are described in guard_protocol.h, its contract in
// service/ports/guard.h.
#include <syslog.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

#include "hypervisor/guard_claim.h"
#include "hypervisor/guard_protocol.h"
#include "hypervisor/line_channel.h"
#include "hypervisor/resumer.h"

namespace cohort::hypervisor {
namespace {

using Event = LineChannel::Event;

// A guard whose process has died ends within some seconds once its members run. Shorter than the process waits for us.
constexpr std::chrono::seconds kClaimPatience{10};

// Ctrl-C, a closed terminal or a service's stop may be what ends the process it watches.
void ignore_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) std::signal(number, SIG_IGN);
}

// Nothing if the process ended before it had said all.
std::optional<GuardOrder> read_order(LineChannel& channel) {
  GuardOrderReader reader;
  for (;;) {
    const auto heard = channel.hear(std::nullopt);
    if (heard.event != Event::kLine) return std::nullopt;
    const auto is_complete = reader.take(heard.line);
    if (!is_complete) {
      static_cast<void>(channel.say(format_failure(is_complete.error())));
      return std::nullopt;
    }
    if (*is_complete) return reader.order();
  }
}

// With every connection that will be needed standing.
struct Watched {
  std::unique_ptr<ConnectionPool> connections;
  GuardClaim claim;
};

Result<Watched> connect(const GuardOrder& order) {
  COHORT_ASSIGN(auto connections, ConnectionPool::open(order.uri));
  std::vector<GuardClaim::Machine> machines;
  for (const MachineId& id : order.machines) {
    COHORT_ASSIGN(const DomainHandle domain, connections->domain(id));
    machines.push_back({id, virDomainGetName(domain.get())});
  }
  COHORT_ASSIGN(auto claim, GuardClaim::acquire(guard_claim_folder(), std::move(machines), kClaimPatience));
  return Watched{std::move(connections), std::move(claim)};
}

bool hears(LineChannel& channel, std::string_view line, std::optional<SteadyTime> until) {
  const auto heard = channel.hear(until);
  return heard.event == Event::kLine && heard.line == line;
}

void answer(const LineChannel& channel, std::string_view word) {
  // Whoever does not listen any more has died, which the next hear() tells.
  static_cast<void>(channel.say(fmt::format("{}\n", word)));
}

// The process has died, or the deadline has passed.
void resume_all(LineChannel& channel, ConnectionPool& connections, const std::vector<MachineId>& machines) {
  syslog(LOG_WARNING, "the fence around %zu machine(s) has not come down in time: resuming them", machines.size());
  Resumer resumer(connections, machines);
  if (hears(channel, kDisarm, std::nullopt)) {
    resumer.request_stop();
    answer(channel, kFired);
    return;
  }
  // The process is gone for good. What it ordered last may come after the first resumer has ended: once more.
  resumer.wait();
  Resumer(connections, machines).wait();
}

void watch(LineChannel& channel, ConnectionPool& connections, const GuardOrder& order) {
  // Up to here nothing stands still, and the end of the process means nothing.
  const auto heard = channel.hear(std::nullopt);
  if (heard.event != Event::kLine) return;
  if (heard.line != kRaise) return answer(channel, kClean);
  const SteadyTime deadline = std::chrono::steady_clock::now() + order.deadline;
  answer(channel, kRaised);
  if (hears(channel, kDisarm, deadline)) return answer(channel, kClean);
  resume_all(channel, connections, order.machines);
}

int run() {
  LineChannel channel{UniqueFd(STDIN_FILENO)};
  const auto order = read_order(channel);
  if (!order) return EXIT_FAILURE;
  const auto watched = connect(*order);
  if (!watched) {
    static_cast<void>(channel.say(format_failure(watched.error())));
    return EXIT_FAILURE;
  }
  answer(channel, kReady);
  watch(channel, *watched->connections, *order);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace cohort::hypervisor

int main(int argc, char** /*argv*/) {
  if (argc > 1 || ::isatty(STDIN_FILENO) == 1) {
    std::fputs("cohort-guard is started by cohort itself; it reads its orders from a socket.\n", stderr);
    return EXIT_FAILURE;
  }
  cohort::hypervisor::ignore_signals();
  // The first process ends at once, so that init, not the watched process, has to bury the guard.
  const pid_t guard = ::fork();
  if (guard != 0) ::_exit(guard < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
  openlog("cohort-guard", LOG_PID, LOG_DAEMON);
  // Without destructors: a thread that waits for a libvirtd that hangs must not keep it.
  ::_exit(cohort::hypervisor::run());
}
