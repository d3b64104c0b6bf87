// Failures, and what recovery did.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/output/printable.h"
#include "cli/output/report.h"

namespace cohort::cli {

namespace {

std::string listed(const std::string& title, const std::vector<std::string>& sentences) {
  std::string text;
  for (const auto& sentence : sentences) {
    text += fmt::format("{}{}\n", title, printable(sentence));
  }
  return text;
}

}  // namespace

std::string report_error(const Error& error, Detail detail) {
  std::string text = fmt::format("cohort: {}\n", printable(error.message));
  if (!error.cause.empty()) {
    text += fmt::format("  cause: {}\n", printable(error.cause));
  }
  if (detail == Detail::kFull) {
    text += listed("  while ", error.context);
  }
  return text;
}

std::string report_recovery(const client::RecoveryReport& report) {
  return listed("cohort: recovered: ", report.actions) + listed("cohort: could not recover: ", report.failures);
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, ", ")); }

}  // namespace cohort::cli
