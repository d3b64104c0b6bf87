#include "daemon/log.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/clock.h"
#include "cli/output/printable.h"

namespace cohort::daemon {
namespace {

constexpr std::size_t kLongest = 1024;  // bytes of a message or a field: clients choose some of them

std::string shown(std::string_view text) {
  return cli::printable(text.substr(0, kLongest)) + (text.size() > kLongest ? "…" : "");
}

// A value with a blank, a bracket or a quote in it would look like several: who chooses a name could write fields of
// his own.
std::string shown_field(std::string_view name, std::string_view value) {
  std::string text = shown(value);
  if (!text.starts_with('"') && text.find_first_of(" ]") == std::string::npos) return fmt::format("{}={}", name, text);
  std::ranges::replace(text, '"', '\'');
  return fmt::format("{}=\"{}\"", name, text);
}

// Fields begin with the first bracket: none of a message, which may have a name in it, too.
std::string shown_before_fields(std::string_view message) {
  std::string text = shown(message);
  std::ranges::replace(text, '[', '(');
  std::ranges::replace(text, ']', ')');
  return text;
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::kError:
      return "error";
    case Level::kWarning:
      return "warning";
    case Level::kNotice:
      return "notice";
    case Level::kInfo:
      return "info";
  }
  return "info";
}

// systemd says by JOURNAL_STREAM ("device:inode") which stream leads to the journal.
bool leads_to_journal(int fd) {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(fd, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

std::string field_name(std::string_view name) {
  std::string upper = "COHORT_";
  std::ranges::transform(name, std::back_inserter(upper),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return upper;
}

void write_to_journal(const EventText& text, std::string_view message, const Fields& fields) {
  std::vector<std::string> entries{fmt::format("MESSAGE={}", shown(message)),
                                   fmt::format("PRIORITY={}", static_cast<int>(text.level)),
                                   fmt::format("COHORT_EVENT={}", text.id), "SYSLOG_IDENTIFIER=cohortd"};
  for (const auto& [name, value] : fields) {
    entries.push_back(fmt::format("{}={}", field_name(name), shown(value)));
  }
  std::vector<iovec> parts;
  parts.reserve(entries.size());
  for (std::string& each : entries) parts.push_back({each.data(), each.size()});
  ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

}  // namespace

const std::vector<EventText>& event_texts() {
  static const std::vector<EventText> texts = {
      {Event::kStarted, "started", Level::kNotice, "The daemon answers requests from here on."},
      {Event::kListening, "listening", Level::kInfo, "An address at which requests are taken."},
      {Event::kCertificateMade, "certificate-made", Level::kNotice,
       "No certificate was configured and none had been made: there is a new one, signed by itself. Clients have to be "
       "told to trust it."},
      {Event::kNoUsers, "no-users", Level::kWarning,
       "The password file does not exist, so nobody can be let in. Add a user with \"cohortd user add\"."},
      {Event::kRecovered, "recovered", Level::kNotice,
       "What a process that ended too early had left open was completed or undone; one line for each thing."},
      {Event::kRecoveryIncomplete, "recovery-incomplete", Level::kError,
       "Something that was left open could not be taken back. The message says what, and what to do; the next start "
       "tries again."},
      {Event::kReloaded, "reloaded", Level::kNotice, "Certificate, users and rights were read again."},
      {Event::kReloadFailed, "reload-failed", Level::kError,
       "Certificate, users or rights could not be read again, as the message says; those from before stay in force. "
       "What has no such line is new."},
      {Event::kStuck, "stuck", Level::kError,
       "A thread that takes requests has done nothing for a quarter of the watchdog's time. systemd is not told that "
       "the daemon is alive, and starts it anew if that goes on."},
      {Event::kStopping, "stopping", Level::kNotice,
       "The daemon has been told to end: nothing new is taken, requests are answered, running jobs are cancelled and "
       "undone."},
      {Event::kStopped, "stopped", Level::kNotice, "All has ended."},
      {Event::kFailed, "failed", Level::kError, "The daemon could not start; the message says why and what to do."},
      {Event::kAuthenticationFailed, "authentication-failed", Level::kWarning,
       "Somebody gave a name and a password that do not belong together, has to wait after having done so too often, "
       "or was not authenticated by what was negotiated; a message that was sealed by somebody else counts, too."},
      {Event::kAccessDenied, "access-denied", Level::kWarning,
       "A user asked for what the role of that user does not allow. Nothing was done."},
      {Event::kRequestRefused, "request-refused", Level::kInfo,
       "A request that is no request: malformed, of another protocol, or for another address."},
      {Event::kChanged, "changed", Level::kNotice,
       "The audit trail: a user called a method or changed an object. The message has the method and what it returned; "
       "a job that it started is followed by its own entries in the history."},
      {Event::kChangeFailed, "change-failed", Level::kWarning,
       "The audit trail: a user called a method or wanted to change an object, which failed for the reason given."},
      {Event::kMethodRefused, "method-refused", Level::kWarning,
       "Why a method returned an error code, which by itself says little. The line change-failed of the same method "
       "follows."},
      {Event::kTimedOut, "timed-out", Level::kWarning,
       "A question took longer to answer than its client wanted to wait. If that goes on, see whether libvirt answers: "
       "\"virsh list\"."},
      {Event::kCommand, "command", Level::kNotice,
       "The audit trail: the command cohort was run by root, or by the user that this service runs as, and is carried "
       "out here, since this service has the state. The message has its arguments."},
  };
  return texts;
}

const EventText& text_of(Event event) { return event_texts().at(static_cast<std::size_t>(event)); }

std::string log_line(Event event, std::string_view message, const Fields& fields) {
  const EventText& text = text_of(event);
  std::string line = fmt::format("{} {}: {}", name_of(text.level), text.id,
                                 fields.empty() ? shown(message) : shown_before_fields(message));
  std::string_view before = " [";
  for (const auto& [name, value] : fields) {
    line += before;
    line += shown_field(name, value);
    before = " ";
  }
  return fields.empty() ? line : line + "]";
}

SystemLog::SystemLog() : is_journal_(leads_to_journal(STDERR_FILENO)) {}

void SystemLog::write(Event event, std::string_view message, const Fields& fields) {
  if (is_journal_) return write_to_journal(text_of(event), message, fields);
  const std::string line = fmt::format("{} {}\n", format_utc(SystemClock().wall()), log_line(event, message, fields));
  // One write, so that lines of several threads stay whole. A log that cannot be written is nobody's to be told.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace cohort::daemon
