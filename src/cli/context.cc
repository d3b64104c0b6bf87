#include "cli/context.h"

namespace cohort::cli {

client::Session& Context::session() {
  if (!session_) {
    session_ = surroundings_.open_session(session_options());
  }
  return *session_;
}

client::SessionOptions Context::session_options() const { return {options_.connect, Path(options_.state)}; }

client::RecoveryReport Context::recovery() const { return session_ ? session_->recovery() : client::RecoveryReport{}; }

Progress Context::make_progress() const {
  const Console& console = surroundings_.console;
  const auto style = options_.quiet            ? ProgressStyle::kNone
                     : console.err_is_terminal ? ProgressStyle::kBar
                                               : ProgressStyle::kLines;
  return Progress(console.err, style, console.width, surroundings_.clock);
}

}  // namespace cohort::cli
