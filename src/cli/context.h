// What a verb gets to do its work with.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/cancellation.h"
#include "cli/console.h"
#include "cli/output/progress.h"
#include "cli/output/report.h"
#include "client/session.h"

namespace cohort::cli {

// Options of every verb.
struct GlobalOptions {
  std::string state;
  std::string connect = "qemu:///system";
  bool json = false;
  bool quiet = false;
  bool verbose = false;
};

using SessionFactory = std::function<std::unique_ptr<client::Session>(const client::SessionOptions&)>;

// Has the command carried out elsewhere, and returns its exit status; nothing if it has to be done here.
using CarryOut = std::function<std::optional<int>(const client::SessionOptions&, const std::vector<std::string>&)>;

// The world around one run of the program; made by main(), faked in tests.
struct Surroundings {
  Console console;
  SessionFactory open_session;
  Cancellation& cancellation;
  const Clock& clock;
  std::function<void(Milliseconds)> sleep;
  CarryOut carry_out_elsewhere = {};  // may be empty
  std::string user = {};              // who asks for jobs
};

class Context {
 public:
  // Both must outlive this object; the options are read when they are needed, after the command line was parsed.
  Context(Surroundings& surroundings, const GlobalOptions& options) : surroundings_(surroundings), options_(options) {}

  [[nodiscard]] const GlobalOptions& options() const { return options_; }
  [[nodiscard]] Detail detail() const { return options_.verbose ? Detail::kFull : Detail::kUsual; }
  [[nodiscard]] const Clock& clock() const { return surroundings_.clock; }
  void sleep(Milliseconds time) const { surroundings_.sleep(time); }
  // Opened at the first call.
  [[nodiscard]] client::Session& session();
  [[nodiscard]] client::SessionOptions session_options() const;
  // Empty if no session was opened.
  [[nodiscard]] client::RecoveryReport recovery() const;
  [[nodiscard]] Progress make_progress() const;

  // Calls a long operation of the session, shows its progress, and lets the user cancel it:
  // call(const client::JobWatch&) -> Result<…>.
  template <typename Call>
  [[nodiscard]] auto run_job(const Call& call) {
    return run_job([&call](const client::JobWatch& watch, Progress& /*progress*/) { return call(watch); },
                   Cancellation::kCancelling);
  }
  // The same for one that says something while it runs: call(const client::JobWatch&, Progress&). `answer` is said when
  // the user interrupts it.
  template <typename Call>
  [[nodiscard]] auto run_job(const Call& call, std::string_view answer) {
    Progress progress = make_progress();
    const Cancellation::RunningJob job(surroundings_.cancellation, progress, answer);
    return call(
        client::JobWatch{job.stop(), [&progress](const Job& update) { progress.update(update); }, surroundings_.user},
        progress);
  }

 private:
  Surroundings& surroundings_;
  const GlobalOptions& options_;
  std::unique_ptr<client::Session> session_;
};

}  // namespace cohort::cli
