#include "hypervisor/guest_agent.h"

#include <libvirt/libvirt-qemu.h>

#include <algorithm>
#include <string>

#include "hypervisor/connection.h"
#include "hypervisor/guest_agent_reply.h"
#include "hypervisor/libvirt_error.h"
#include "hypervisor/power.h"

namespace cohort::hypervisor {
namespace {

constexpr int kPingSeconds = 3;
constexpr int kQuestionSeconds = 5;
// Its hook may have to start things again.
constexpr int kThawSeconds = 30;
// Of what a guest says in its own words.
constexpr std::size_t kMostWords = 200;
// Of a command line.
constexpr int kReadBytes = 4096;

Error agent_error(virDomainPtr domain) {
  Error error = machine_error(domain, "The guest agent of the machine \"{}\" does not do what it is asked.");
  error.cause.resize(std::min(error.cause.size(), kMostWords));
  if (error.code == ErrorCode::kTimeout) {
    error.message =
        fmt::format("The guest agent of the machine \"{}\" does not answer: is it running?", virDomainGetName(domain));
  } else if (error.code == ErrorCode::kUnsupported) {
    error.message =
        fmt::format("The machine \"{}\" has no channel for a guest agent: add one (org.qemu.guest_agent.0).",
                    virDomainGetName(domain));
  }
  return error;
}

Result<std::string> ask(virDomainPtr domain, const std::string& command, int seconds) {
  const OwnedText reply(virDomainQemuAgentCommand(domain, command.c_str(), seconds, 0));
  if (!reply) return Failure{agent_error(domain)};
  return std::string(reply.get());
}

Result<bool> is_frozen(virDomainPtr domain) {
  COHORT_ASSIGN(const auto reply, ask(domain, R"({"execute": "guest-fsfreeze-status"})", kQuestionSeconds));
  return frozen_in(reply);
}

Result<std::string> read_command_line(virDomainPtr domain, std::int64_t handle) {
  const std::string arguments = fmt::format(R"("arguments": {{"handle": {}, "count": {}}})", handle, kReadBytes);
  COHORT_ASSIGN(const auto reply,
                ask(domain, fmt::format(R"({{"execute": "guest-file-read", {}}})", arguments), kQuestionSeconds));
  return content_in(reply);
}

// The agent's own command line, which names its freeze hook. It fails where the agent may not read files for us.
Result<std::string> command_line_of_agent(virDomainPtr domain) {
  COHORT_ASSIGN(
      const auto opened,
      ask(domain, R"({"execute": "guest-file-open", "arguments": {"path": "/proc/self/cmdline"}})", kQuestionSeconds));
  COHORT_ASSIGN(const auto handle, number_in(opened));
  auto content = read_command_line(domain, handle);
  // The agent keeps the file open otherwise; that is all.
  static_cast<void>(ask(domain,
                        fmt::format(R"({{"execute": "guest-file-close", "arguments": {{"handle": {}}}}})", handle),
                        kQuestionSeconds));
  return content;
}

// What an agent does not tell is taken for no.
bool has_hook(virDomainPtr domain) {
  const auto system = ask(domain, R"({"execute": "guest-get-osinfo"})", kQuestionSeconds);
  // There a freeze goes through VSS, or fails.
  if (system && is_windows(*system)) return true;
  const auto words = command_line_of_agent(domain);
  return words && names_freeze_hook(*words);
}

// Its hook has been run, and is to be run for the thaw as well, which an agent without frozen file systems does only
// when it is told to.
Error nothing_frozen(virDomainPtr domain) {
  static_cast<void>(ask(domain, R"({"execute": "guest-fsfreeze-thaw"})", kThawSeconds));
  return make_error(ErrorCode::kUnsupported, "The guest agent of the machine \"{}\" has frozen no file system.",
                    virDomainGetName(domain));
}

}  // namespace

Result<bool> agent_answers(virDomainPtr domain) {
  const auto reply = ask(domain, R"({"execute": "guest-ping"})", kPingSeconds);
  if (reply) return true;
  // Not yet, or the machine stands still.
  if (reply.error().code == ErrorCode::kTimeout || reply.error().code == ErrorCode::kInvalidState) return false;
  return Failure{reply.error()};
}

Result<service::FreezeOutlook> freeze_outlook(virDomainPtr domain) {
  service::FreezeOutlook outlook;
  COHORT_ASSIGN(outlook.is_frozen, is_frozen(domain));
  // A frozen guest's agent answers few questions.
  outlook.has_hook = !outlook.is_frozen && has_hook(domain);
  return outlook;
}

Result<std::uint64_t> freeze(virDomainPtr domain, Milliseconds patience) {
  const auto seconds = std::max<std::int64_t>(1, std::chrono::floor<std::chrono::seconds>(patience).count());
  COHORT_ASSIGN(const auto reply, ask(domain, R"({"execute": "guest-fsfreeze-freeze"})", static_cast<int>(seconds)));
  COHORT_ASSIGN(const auto count, number_in(reply));
  if (count <= 0) return Failure{nothing_frozen(domain)};
  return static_cast<std::uint64_t>(count);
}

Result<service::ThawReport> thaw(virDomainPtr domain) {
  COHORT_ASSIGN(const DomainState state, state_of(domain));
  if (state.power() == PowerState::kOff) return service::ThawReport{};
  // An agent does what it is told in order: when it answers this, it has frozen what it was to freeze.
  COHORT_ASSIGN(const bool was_frozen, is_frozen(domain));
  if (!was_frozen) return service::ThawReport{};
  const auto reply = ask(domain, R"({"execute": "guest-fsfreeze-thaw"})", kThawSeconds);
  service::ThawReport report{true, {}, {}};
  if (reply) {
    COHORT_ASSIGN(report.file_systems, number_in(*reply));
    return report;
  }
  COHORT_ASSIGN(const bool is_still_frozen, is_frozen(domain));
  if (is_still_frozen) return Failure{reply.error()};
  report.complaint = reply.error().cause;
  return report;
}

}  // namespace cohort::hypervisor
