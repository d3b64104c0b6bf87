#include "provider/summary_information.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "cim/typed.h"
#include "provider/concrete_job.h"
#include "provider/found.h"
#include "provider/machine_state.h"
#include "provider/paths.h"
#include "provider/virtual_system_setting_data.h"

namespace cohort::provider {
namespace {

using cim::Value;

enum Code : std::uint32_t {
  kElementName = 1,
  kCreationTime = 2,
  kNotes = 3,
  kNumberOfProcessors = 4,
  kVirtualSwitchNames = 9,
  kVersion = 10,
  kShielded = 11,
  kEnabledState = 100,
  kMemoryUsage = 103,
  kUpTime = 105,
  kSnapshots = 107,
  kAsynchronousTasks = 108,
  kHealthState = 109,
  kOperationalStatus = 110,
  kStatusDescriptions = 111,
  kMemoryAvailable = 112,
  kAvailableMemoryBuffer = 113,
  kReplicationMode = 114,
  kReplicationState = 115,
  kReplicationHealth = 116,
  kSwapFilesInUse = 121,
  kOtherEnabledState = 133,
  kVirtualSystemSubType = 135,
  kHostComputerSystemName = 136,
};

// Windows' page lost one of its names, so that those behind it stand at the number before theirs. Its readers ask for
// these two by that.
constexpr std::uint32_t kSwapFilesInUseOfPage = 120;
constexpr std::uint32_t kOtherEnabledStateOfPage = 132;
constexpr std::uint32_t kLast = kHostComputerSystemName;

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20;
// MemoryAvailable and AvailableMemoryBuffer of a machine whose guest does not tell: readers take NULL for a number.
constexpr std::int32_t kUnknownShare = std::numeric_limits<std::int32_t>::max();

// An instance of which only what was asked for is filled in, and the name.
class Summary {
 public:
  Summary(const cim::Class& of, const SummaryCodes& codes, std::string name)
      : instance_(cim::make_instance(of)), codes_(codes) {
    instance_.set("Name", Value(std::move(name)));
  }

  [[nodiscard]] bool wants(Code code) const { return codes_.contains(code); }
  [[nodiscard]] bool wants_hardware() const {
    return wants(kNotes) || wants(kVersion) || wants(kVirtualSwitchNames) || wants(kVirtualSystemSubType);
  }
  void give(Code code, std::string_view property, Value value) {
    if (wants(code)) instance_.set(property, std::move(value));
  }
  [[nodiscard]] cim::Instance take() { return std::move(instance_); }

 private:
  cim::Instance instance_;
  const SummaryCodes& codes_;
};

// There are no switches: what cards are connected to, each once.
std::vector<std::string> connections_of(const MachineHardware& hardware) {
  std::vector<std::string> names;
  for (const NetworkCard& card : hardware.cards) {
    const bool is_known = std::ranges::find(names, card.connection) != names.end();
    if (!card.connection.empty() && !is_known) names.push_back(card.connection);
  }
  return names;
}

void give_hardware(Summary& summary, const MachineHardware& hardware) {
  if (!hardware.description.empty()) summary.give(kNotes, "Notes", Value(hardware.description));
  summary.give(kVersion, "Version", Value(hardware.machine_type));
  summary.give(kVirtualSwitchNames, "VirtualSwitchNames", Value::array_of(connections_of(hardware)));
}

void give_condition(Summary& summary, const MachineCondition& condition, WallTime now) {
  const std::uint16_t none = 0;
  summary.give(kElementName, "ElementName", Value(condition.name));
  summary.give(kNumberOfProcessors, "NumberOfProcessors", Value(std::uint64_t{condition.processors}));
  summary.give(kShielded, "Shielded", Value(false));
  summary.give(kEnabledState, "EnabledState", Value(enabled_state(condition.activity)));
  summary.give(kOtherEnabledState, "OtherEnabledState", Value(condition.words));
  summary.give(kMemoryUsage, "MemoryUsage",
               Value(is_active(condition.activity) ? condition.memory / kMebi : std::uint64_t{0}));
  summary.give(kUpTime, "UpTime", Value(on_time(condition, now)));
  summary.give(kHealthState, "HealthState", Value(health_state(condition.activity)));
  summary.give(kOperationalStatus, "OperationalStatus", Value::array_of(operational_status(condition.activity)));
  summary.give(kStatusDescriptions, "StatusDescriptions", Value::array_of(status_descriptions(condition)));
  summary.give(kMemoryAvailable, "MemoryAvailable", Value(kUnknownShare));
  summary.give(kAvailableMemoryBuffer, "AvailableMemoryBuffer", Value(kUnknownShare));
  summary.give(kReplicationMode, "ReplicationMode", Value(none));
  summary.give(kReplicationState, "ReplicationState", Value(none));
  summary.give(kReplicationHealth, "ReplicationHealth", Value(none));
  summary.give(kSwapFilesInUse, "SwapFilesInUse", Value(false));
}

Value embedded(const std::vector<MachineConfiguration>& snapshots) {
  std::vector<cim::Element> elements;
  for (const auto& each : snapshots) elements.emplace_back(cim::Shared<cim::Instance>(virtual_system_settings(each)));
  return Value::array(cim::Type::kInstance, std::move(elements));
}

Value tasks_of(const MachineId& machine, const std::vector<MachineTask>& tasks, WallTime now) {
  std::vector<cim::Element> elements;
  for (const MachineTask& task : tasks) {
    const bool is_its = std::ranges::find(task.machines, machine) != task.machines.end();
    if (is_its) elements.emplace_back(cim::Shared<cim::Instance>(job_instance(task.job, now)));
  }
  return Value::array(cim::Type::kInstance, std::move(elements));
}

// Those between two ranges are nobody's.
bool is_summary_code(std::uint32_t code) {
  return code <= 11 || (code >= 100 && code <= 123) || (code >= 132 && code <= kLast);
}

Result<void> keep_shown(std::vector<MachineConfiguration>& configurations, const Access& access) {
  std::vector<MachineConfiguration> kept;
  for (auto& each : configurations) {
    COHORT_ASSIGN(const bool is_shown, access.shows(each.path));
    if (is_shown) kept.push_back(std::move(each));
  }
  configurations = std::move(kept);
  return {};
}

}  // namespace

Result<SummaryCodes> summary_codes(const cim::Value& requested) {
  SummaryCodes codes;
  for (const cim::Element& each : requested.elements()) {
    const auto* code = std::get_if<std::uint32_t>(&each);
    if (code == nullptr || !is_summary_code(*code)) {
      return fail(ErrorCode::kInvalidArgument, "RequestedInformation holds a number that stands for nothing.");
    }
    codes.insert(*code);
  }
  if (codes.empty()) return fail(ErrorCode::kInvalidArgument, "RequestedInformation says nothing.");
  if (codes.contains(kSwapFilesInUseOfPage)) codes.insert(kSwapFilesInUse);
  if (codes.contains(kOtherEnabledStateOfPage)) codes.insert(kOtherEnabledState);
  return codes;
}

Result<SummaryReader::Question> SummaryReader::question(const SummaryCodes& codes, const Access& access) {
  if (!codes.contains(kAsynchronousTasks)) return Question{codes, access, {}};
  COHORT_ASSIGN(auto tasks, machine_tasks(state_, access));
  return Question{codes, access, std::move(tasks)};
}

Result<cim::Instance> SummaryReader::of_machine(const MachineCondition& condition, const Question& question) {
  Summary summary(summary_, question.codes, upper(condition.id.str()));
  give_condition(summary, condition, clock_.wall());
  summary.give(kHostComputerSystemName, "HostComputerSystemName", Value(host_name_));
  summary.give(kAsynchronousTasks, "AsynchronousTasks", tasks_of(condition.id, question.tasks, clock_.wall()));
  if (summary.wants_hardware()) {
    COHORT_ASSIGN(const auto hardware, if_found(machines_.hardware(condition.id)));
    if (hardware) give_hardware(summary, *hardware);
    if (hardware) summary.give(kVirtualSystemSubType, "VirtualSystemSubType", Value(sub_type_of(*hardware)));
  }
  if (summary.wants(kSnapshots)) {
    COHORT_ASSIGN(auto snapshots, configurations_.snapshots_of(condition.id));
    COHORT_TRY(keep_shown(snapshots, question.access));
    summary.give(kSnapshots, "Snapshots", embedded(snapshots));
  }
  return summary.take();
}

cim::Instance SummaryReader::of_snapshot(const MachineConfiguration& configuration, const SummaryCodes& codes) const {
  const MachineConfiguration::Taken& taken = *configuration.taken;
  Summary summary(summary_, codes, upper(taken.id.str()));
  summary.give(kElementName, "ElementName", Value(taken.name));
  summary.give(kCreationTime, "CreationTime", Value(cim::Datetime::at(taken.instant)));
  summary.give(kNumberOfProcessors, "NumberOfProcessors", Value(std::uint64_t{configuration.hardware.processors}));
  give_hardware(summary, configuration.hardware);
  return summary.take();
}

Result<std::vector<cim::Instance>> SummaryReader::all(const SummaryCodes& codes, const Access& access) {
  COHORT_ASSIGN(const auto conditions, machines_.conditions());
  COHORT_ASSIGN(const Question question, this->question(codes, access));
  std::vector<cim::Instance> summaries;
  for (const auto& condition : conditions) {
    COHORT_ASSIGN(const bool is_shown, access.shows(path_of_machine(condition.id)));
    if (!is_shown) continue;
    COHORT_ASSIGN(auto summary, of_machine(condition, question));
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

Result<std::vector<cim::Instance>> SummaryReader::chosen(const std::vector<cim::ObjectPath>& settings,
                                                         const SummaryCodes& codes, const Access& access) {
  COHORT_ASSIGN(const Question question, this->question(codes, access));
  std::vector<cim::Instance> summaries;
  for (const auto& each : settings) {
    COHORT_ASSIGN(auto summary, one(each, question));
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

Result<cim::Instance> SummaryReader::one(const cim::ObjectPath& settings, const Question& question) {
  const auto nothing = [&] { return Summary(summary_, question.codes, "").take(); };
  const auto key = configuration_key(settings);
  if (!key) return nothing();
  COHORT_ASSIGN(const bool is_shown,
                question.access.shows(key->snapshot ? path_of_snapshot_settings(*key->snapshot, key->machine)
                                                    : path_of_settings(key->machine)));
  if (!is_shown) return nothing();
  if (!key->snapshot) {
    COHORT_ASSIGN(const auto condition, if_found(machines_.condition(key->machine)));
    if (!condition) return nothing();
    return of_machine(*condition, question);
  }
  COHORT_ASSIGN(const auto configuration, configurations_.find(*key));
  if (!configuration) return nothing();
  return of_snapshot(*configuration, question.codes);
}

}  // namespace cohort::provider
