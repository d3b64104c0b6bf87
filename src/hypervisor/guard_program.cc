// cohort-guard: lets machines run again when the process that made them stand still dies, hangs or is stopped.
//
// A program of its own, in a session of its own, child of nobody, with its own connections: it shares nothing with the
// process it watches but one socket. Its lines are described in guard_protocol.h, its contract in
// service/ports/guard.h.
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "hypervisor/guard_claim.h"
#include "hypervisor/guard_protocol.h"
#include "hypervisor/line_channel.h"
#include "hypervisor/resumer.h"
#include "hypervisor/thawer.h"

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
  for (const MachineId& id : order.fence.machines) {
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

// The process has died, or a deadline has passed: lets the machines run if the fence may be up, and thaws those whose
// freeze has begun. Who stands still cannot be thawed.
class Rescue {
 public:
  // `machines` may stand still, their memory be about to be saved; the guests of `freezing` may be frozen.
  Rescue(ConnectionPool& connections, std::vector<MachineId> machines, std::vector<MachineId> freezing, bool is_saving)
      : connections_(connections),
        machines_(std::move(machines)),
        freezing_(std::move(freezing)),
        is_saving_(is_saving) {
    syslog(LOG_WARNING, "not done in time: letting %zu machine(s) run, thawing the guests of %zu", machines_.size(),
           freezing_.size());
    resumer_.emplace(connections_, machines_, is_saving_);
    thawer_.emplace(connections_, freezing_);
  }

  // Until the process has said what it owes, or is gone.
  void attend(LineChannel& channel) {
    bool is_down = false;
    bool is_thawed = freezing_.empty();
    while (!is_down || !is_thawed) {
      const auto heard = channel.hear(std::nullopt);
      if (heard.event != Event::kLine) return finish(is_down);
      if (heard.line == kDisarm) is_down = true;
      if (heard.line == kThawed) is_thawed = is_down = true;
      if (is_down) resumer_->request_stop();
      answer(channel, kFired);
    }
    thawer_->request_stop();
  }

 private:
  // The process is gone for good. What it ordered last may come after the first resumer has ended: once more.
  void finish(bool is_down) {
    resumer_->wait();
    if (!is_down) Resumer(connections_, machines_, is_saving_).wait();
    thawer_->wait();
  }

  ConnectionPool& connections_;
  std::vector<MachineId> machines_;
  std::vector<MachineId> freezing_;
  bool is_saving_;
  std::optional<Resumer> resumer_;
  std::optional<Thawer> thawer_;
};

// The process has said that the machines run, and owes a thaw.
void watch_thaw(LineChannel& channel, ConnectionPool& connections, const GuardOrder& order, SteadyTime until) {
  if (hears(channel, kThawed, until)) return answer(channel, kClean);
  syslog(LOG_WARNING, "the guests of %zu machine(s) were not thawed in time: thawing them",
         order.fence.freezing.size());
  Thawer thawer(connections, order.fence.freezing);
  if (hears(channel, kThawed, std::nullopt)) {
    thawer.request_stop();
    return answer(channel, kFired);
  }
  thawer.wait();
}

// True if the fence goes up now.
bool acknowledge_raise(LineChannel& channel, const LineChannel::Heard& heard) {
  if (heard.event != Event::kLine) return false;
  answer(channel, heard.line == kRaise ? kRaised : kClean);
  return heard.line == kRaise;
}

void watch_fence(LineChannel& channel, ConnectionPool& connections, const GuardOrder& order,
                 std::optional<SteadyTime> thaw_until) {
  SteadyTime until = std::chrono::steady_clock::now() + order.fence.deadline;
  if (thaw_until) until = std::min(until, *thaw_until);
  if (!hears(channel, kDisarm, until)) {
    const auto freezing = thaw_until ? order.fence.freezing : std::vector<MachineId>{};
    return Rescue(connections, order.fence.machines, freezing, order.fence.saves_memory).attend(channel);
  }
  answer(channel, kClean);
  if (thaw_until) watch_thaw(channel, connections, order, *thaw_until);
}

void watch_freeze(LineChannel& channel, ConnectionPool& connections, const GuardOrder& order) {
  const SteadyTime until = std::chrono::steady_clock::now() + order.fence.longest_freeze;
  answer(channel, kFreezing);
  const auto heard = channel.hear(until);
  // No fence: whoever says now that all is thawed has given up.
  if (heard.event == Event::kLine && heard.line == kThawed) return answer(channel, kClean);
  if (acknowledge_raise(channel, heard)) return watch_fence(channel, connections, order, until);
  // Nothing was made to stand still: a machine that does was paused by somebody else.
  Rescue(connections, {}, order.fence.freezing, false).attend(channel);
}

void watch(LineChannel& channel, ConnectionPool& connections, const GuardOrder& order) {
  // Up to here nothing stands still and nothing is frozen, and the end of the process means nothing.
  const auto heard = channel.hear(std::nullopt);
  if (heard.event == Event::kLine && heard.line == kFreeze) return watch_freeze(channel, connections, order);
  if (acknowledge_raise(channel, heard)) watch_fence(channel, connections, order, std::nullopt);
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
