#include "provider/summary_information.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "cim/object_path.h"
#include "cim/typed.h"
#include "provider/found.h"
#include "provider/machine_state.h"
#include "provider/paths.h"
#include "provider/virtual_system_setting_data.h"

namespace cohort::provider {
namespace {

using cim::Value;

enum Code : std::uint32_t {
  kName = 0,
  kElementName = 1,
  kCreationTime = 2,
  kNotes = 3,
  kNumberOfProcessors = 4,
  kVersion = 10,
  kShielded = 11,
  kEnabledState = 100,
  kMemoryUsage = 103,
  kUpTime = 105,
  kSnapshots = 107,
  kHealthState = 109,
  kOperationalStatus = 110,
  kStatusDescriptions = 111,
  kReplicationMode = 114,
  kReplicationState = 115,
  kReplicationHealth = 116,
  kOtherEnabledState = 132,
};

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20;

// An instance of which only what was asked for is filled in.
class Summary {
 public:
  Summary(const cim::Class& of, const SummaryCodes& codes) : instance_(cim::make_instance(of)), codes_(codes) {}

  [[nodiscard]] bool wants(Code code) const { return codes_.contains(code); }
  void give(Code code, std::string_view property, Value value) {
    if (wants(code)) instance_.set(property, std::move(value));
  }
  [[nodiscard]] cim::Instance take() { return std::move(instance_); }

 private:
  cim::Instance instance_;
  const SummaryCodes& codes_;
};

void give_hardware(Summary& summary, const MachineHardware& hardware) {
  if (!hardware.description.empty()) summary.give(kNotes, "Notes", Value(hardware.description));
  summary.give(kVersion, "Version", Value(hardware.machine_type));
}

void give_condition(Summary& summary, const MachineCondition& condition, WallTime now) {
  const std::uint16_t none = 0;
  summary.give(kName, "Name", Value(upper(condition.id.str())));
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
  summary.give(kReplicationMode, "ReplicationMode", Value(none));
  summary.give(kReplicationState, "ReplicationState", Value(none));
  summary.give(kReplicationHealth, "ReplicationHealth", Value(none));
}

Value embedded(const std::vector<MachineConfiguration>& snapshots) {
  std::vector<cim::Element> elements;
  for (const auto& each : snapshots) elements.emplace_back(cim::Shared<cim::Instance>(virtual_system_settings(each)));
  return Value::array(cim::Type::kInstance, std::move(elements));
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

bool is_summary_code(std::uint32_t code) { return code <= 11 || (code >= 100 && code <= 123) || code == 132; }

Result<cim::Instance> SummaryReader::of_machine(const MachineCondition& condition, const SummaryCodes& codes,
                                                const Access& access) {
  Summary summary(summary_, codes);
  give_condition(summary, condition, clock_.wall());
  if (summary.wants(kNotes) || summary.wants(kVersion)) {
    COHORT_ASSIGN(const auto hardware, if_found(machines_.hardware(condition.id)));
    if (hardware) give_hardware(summary, *hardware);
  }
  if (summary.wants(kSnapshots)) {
    COHORT_ASSIGN(auto snapshots, configurations_.snapshots_of(condition.id));
    COHORT_TRY(keep_shown(snapshots, access));
    summary.give(kSnapshots, "Snapshots", embedded(snapshots));
  }
  return summary.take();
}

cim::Instance SummaryReader::of_snapshot(const MachineConfiguration& configuration, const SummaryCodes& codes) const {
  const MachineConfiguration::Taken& taken = *configuration.taken;
  Summary summary(summary_, codes);
  summary.give(kName, "Name", Value(upper(taken.id.str())));
  summary.give(kElementName, "ElementName", Value(taken.name));
  summary.give(kCreationTime, "CreationTime", Value(cim::Datetime::at(taken.instant)));
  summary.give(kNumberOfProcessors, "NumberOfProcessors", Value(std::uint64_t{configuration.hardware.processors}));
  give_hardware(summary, configuration.hardware);
  return summary.take();
}

Result<std::vector<cim::Instance>> SummaryReader::all(const SummaryCodes& codes, const Access& access) {
  COHORT_ASSIGN(const auto conditions, machines_.conditions());
  std::vector<cim::Instance> summaries;
  for (const auto& condition : conditions) {
    COHORT_ASSIGN(const bool is_shown, access.shows(path_of_machine(condition.id)));
    if (!is_shown) continue;
    COHORT_ASSIGN(auto summary, of_machine(condition, codes, access));
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

Result<cim::Instance> SummaryReader::one(const cim::ObjectPath& settings, const SummaryCodes& codes,
                                         const Access& access) {
  const auto no_settings = [&] {
    return fail(ErrorCode::kInvalidArgument, "There are no settings {}.", cim::to_local_text(settings));
  };
  const auto key = configuration_key(settings);
  if (!key) return no_settings();
  COHORT_ASSIGN(const bool is_shown,
                access.shows(key->snapshot ? path_of_snapshot_settings(*key->snapshot, key->machine)
                                           : path_of_settings(key->machine)));
  if (!is_shown) return no_settings();
  if (!key->snapshot) {
    COHORT_ASSIGN(const auto condition, if_found(machines_.condition(key->machine)));
    if (!condition) return no_settings();
    return of_machine(*condition, codes, access);
  }
  COHORT_ASSIGN(const auto configuration, configurations_.find(*key));
  if (!configuration) return no_settings();
  return of_snapshot(*configuration, codes);
}

}  // namespace cohort::provider
