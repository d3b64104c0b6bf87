// Msvm_SummaryInformation: chosen facts about machines and snapshots, as GetSummaryInformation tells them.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "cim/class.h"
#include "provider/access.h"
#include "provider/machine_configurations.h"
#include "provider/machine_tasks.h"

namespace cohort::provider {

// The codes of RequestedInformation.
using SummaryCodes = std::set<std::uint32_t>;
// kInvalidArgument: there is none, or one that stands for nothing.
[[nodiscard]] Result<SummaryCodes> summary_codes(const cim::Value& requested);

// What is not asked for, or not known, is NULL, but for Name.
// Threads: safe to call from several at once.
class SummaryReader {
 public:
  // All outlive the reader; `summary` is the class Msvm_SummaryInformation.
  SummaryReader(service::MachineControl& machines, MachineConfigurations configurations, service::StateStore& state,
                const Clock& clock, const cim::Class& summary, std::string host_name)
      : machines_(machines),
        configurations_(configurations),
        state_(state),
        clock_(clock),
        summary_(summary),
        host_name_(std::move(host_name)) {}

  // Of each machine as it is now that is shown, by name.
  [[nodiscard]] Result<std::vector<cim::Instance>> all(const SummaryCodes& codes, const Access& access);
  // Of machines and snapshots of them, in this order; with an empty name and nothing else if a path is not that of
  // settings that are there, and shown.
  [[nodiscard]] Result<std::vector<cim::Instance>> chosen(const std::vector<cim::ObjectPath>& settings,
                                                          const SummaryCodes& codes, const Access& access);

 private:
  // What is asked for, by whom, and what is read once for all machines.
  struct Question {
    const SummaryCodes& codes;
    const Access& access;
    std::vector<MachineTask> tasks;
  };

  [[nodiscard]] Result<Question> question(const SummaryCodes& codes, const Access& access);
  [[nodiscard]] Result<cim::Instance> one(const cim::ObjectPath& settings, const Question& question);
  [[nodiscard]] Result<cim::Instance> of_machine(const MachineCondition& condition, const Question& question);
  [[nodiscard]] cim::Instance of_snapshot(const MachineConfiguration& configuration, const SummaryCodes& codes) const;

  service::MachineControl& machines_;
  MachineConfigurations configurations_;
  service::StateStore& state_;
  const Clock& clock_;
  const cim::Class& summary_;
  std::string host_name_;
};

}  // namespace cohort::provider
