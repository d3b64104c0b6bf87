// What the daemon tells its operator: events with an id, a level and fields, in the journal or on standard error.
//
// Passwords, whole requests and the contents of settings are never written.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cohort::daemon {

enum class Level { kError = 3, kWarning = 4, kNotice = 5, kInfo = 6 };  // syslog's numbers

enum class Event {
  kStarted,
  kListening,
  kCertificateMade,
  kNoUsers,
  kRecovered,
  kRecoveryIncomplete,
  kReloaded,
  kReloadFailed,
  kStuck,
  kStopping,
  kStopped,
  kFailed,
  kAuthenticationFailed,
  kAccessDenied,
  kRequestRefused,
  kChanged,
  kChangeFailed,
  kMethodRefused,
  kTimedOut,
  kCommand,
};

struct EventText {
  Event event;
  std::string_view id;  // "access-denied"; never changes its meaning
  Level level;
  std::string_view explanation;  // a sentence or two for the manual
};

// All events, in the order of the enumeration.
[[nodiscard]] const std::vector<EventText>& event_texts();
[[nodiscard]] const EventText& text_of(Event event);

using Fields = std::vector<std::pair<std::string_view, std::string>>;

// Threads: safe to call from several at once.
class Log {
 public:
  virtual ~Log() = default;
  // `message` is for people; `fields` for programs: names in lower case, values as they come from wherever, which is
  // why neither may be trusted to be printable.
  virtual void write(Event event, std::string_view message, const Fields& fields = {}) = 0;
};

// The journal if standard error leads there, with COHORT_EVENT and a field COHORT_… for each of the fields; else lines
// on standard error, with quotes around values that have a blank or a bracket:
//   2026-01-31T23:59:59.123456Z notice changed: DefineCollection: 0 [user=ann address=127.0.0.1]
class SystemLog final : public Log {
 public:
  SystemLog();
  void write(Event event, std::string_view message, const Fields& fields = {}) override;

 private:
  bool is_journal_;
};

// The line without its end; control characters are replaced.
[[nodiscard]] std::string log_line(Event event, std::string_view message, const Fields& fields);

}  // namespace cohort::daemon
