// Packages that are tried.
#include <fmt/format.h>

#include <algorithm>

#include "cli/output/printable.h"
#include "cli/output/quantity.h"
#include "cli/output/report.h"
#include "cli/output/table.h"
#include "service/try_watch.h"

namespace cohort::cli {

namespace {

// As a shell takes it for one word.
std::string shell_word(const std::string& text) {
  const bool is_plain = !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
           c == '.' || c == '/' || c == ':' || c == '+';
  });
  if (is_plain) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

std::string way_to_look(const service::TriedMachine& machine, const std::string& uri) {
  if (machine.console) return "tail -f " + shell_word(machine.console->string());
  return fmt::format("virsh -c {} console {}", shell_word(uri), shell_word(machine.name));
}

std::string end_of(const service::TriedMachine& machine) {
  if (machine.end) return std::string(service::words_for(*machine.end));
  return machine.power == PowerState::kRunning ? "ran to the end" : "stood still";
}

std::string all_missing_disks(const std::vector<service::TriedMachine>& machines) {
  std::string text;
  for (const auto& machine : machines) text += missing_disks(machine.original_name, machine.name, machine.left_out);
  return text.empty() ? text : "\n" + text;
}

std::string network_words(service::TryNetwork network) {
  return network == service::TryNetwork::kNone ? "not connected" : "in a network of their own";
}

}  // namespace

std::string report_try_plan(const service::TryPlan& plan) {
  Table table({{"MACHINE"}, {"WAS"}, {"DISKS"}});
  for (const auto& machine : plan.machines) {
    std::vector<std::string> disks;
    for (const auto& disk : machine.disks) disks.push_back(disk.file.path.string());
    table.add({machine.name, machine.original_name, disks.empty() ? "-" : joined(disks)});
  }
  return fmt::format("{} would run, {}, and write to {} ({} are free).\n\n",
                     count_of(plan.machines.size(), "machine", "machines"), network_words(plan.network),
                     printable(plan.scratch.string()), format_bytes(plan.free_bytes)) +
         table.str() + all_missing_disks(plan.machines) + "\nNothing was changed.\n";
}

std::string report_running(const service::TryReport& report, const std::string& uri) {
  std::string text = fmt::format("{}, {}:\n", report.machines.size() == 1 ? "One machine runs" : "The machines run",
                                 network_words(report.network));
  for (const auto& machine : report.machines) {
    text += fmt::format("  {}: {}\n", printable(machine.name), printable(way_to_look(machine, uri)));
  }
  return text + "Ctrl-C ends the try and removes them.";
}

std::string report_try(const service::TryReport& report) {
  Table table({{"MACHINE"}, {"WAS"}, {"AGENT AFTER", Align::kRight}, {"END"}});
  for (const auto& machine : report.machines) {
    table.add({machine.name, machine.original_name, machine.agent_after ? format_duration(*machine.agent_after) : "-",
               end_of(machine)});
  }
  return fmt::format("Tried {} for {}; all that was made for it is removed.\n\n",
                     count_of(report.machines.size(), "machine", "machines"), format_duration(report.ran)) +
         table.str() + all_missing_disks(report.machines);
}

}  // namespace cohort::cli
