#include "provider/concrete_job.h"

#include <algorithm>
#include <iterator>

#include "cim/status.h"
#include "provider/exported_reference_point.h"
#include "provider/found.h"
#include "provider/paths.h"
#include "provider/return_code.h"

namespace cohort::provider {
namespace {

using cim::Value;

// RequestStateChange.
constexpr std::uint16_t kTerminate = 4;
constexpr std::uint16_t kKill = 5;
constexpr std::uint16_t kStart = 2;
constexpr std::uint16_t kService = 6;
// What it returns; the first two also KillJob.
constexpr std::uint32_t kNotSupported = 1;
constexpr std::uint32_t kFailed = 4;
constexpr std::uint32_t kInvalidParameter = 5;
constexpr std::uint32_t kTransitionStarted = 4096;
constexpr std::uint32_t kInvalidTransition = 4097;
constexpr std::uint32_t kNoTimeout = 4098;  // "Use of Timeout Parameter Not Supported"

constexpr const char* kConcreteClass = "Msvm_ConcreteJob";
constexpr const char* kReferencePointExportClass = "Msvm_CollectionReferencePointExportJob";

struct TypeRow {
  JobType type;
  std::uint16_t cim_type;  // JobType of Msvm_ConcreteJob
  const char* caption;
};
constexpr TypeRow kTypes[] = {
    {JobType::kTakeSnapshot, 198, "Snapshot Collection"},
    {JobType::kApplySnapshot, 71, "Apply Collection Snapshot"},
    {JobType::kDeleteSnapshot, 72, "Delete Collection Snapshot"},
    {JobType::kExport, 62, "Export Collection Snapshot"},
    {JobType::kImport, 61, "Import Collection"},
    {JobType::kBackup, 170, "Backup Collection"},
    {JobType::kConvert, 200, "Convert Snapshot to Reference Point"},
    {JobType::kCreateReferencePoint, 205, "Create Reference Point on Collection"},
    {JobType::kDeleteReferencePoint, 208, "Delete Reference Point on Collection"},
    {JobType::kExportReferencePoint, 206, "Export Reference Point on Collection"},
    // The page has no numbers for what only this program does.
    {JobType::kVerify, 0, "Verify Package"},
    {JobType::kMergePackage, 0, "Merge Packages"},
    {JobType::kTry, 0, "Try Package"},
    {JobType::kPrune, 0, "Prune Packages"},
    {JobType::kMend, 0, "Mend"},
    {JobType::kRecover, 0, "Recover"},
};
static_assert(std::size(kTypes) == static_cast<std::size_t>(JobType::kExportReferencePoint) + 1, "one for each");

const TypeRow& row_of(JobType type) { return *std::ranges::find(kTypes, type, &TypeRow::type); }

std::uint16_t percent_of(const Job& job) {
  if (job.state == JobState::kCompleted) return 100;
  const JobProgress& progress = job.progress;
  if (progress.total_bytes == 0) return 0;
  const double share = static_cast<double>(progress.done_bytes) / static_cast<double>(progress.total_bytes);
  return static_cast<std::uint16_t>(std::clamp(share * 100, 0.0, 99.0));
}

const char* status_of(const Job& job) {
  if (!is_ended(job.state)) return "Job is running";
  return job.state == JobState::kCompleted ? "Job completed" : "Job did not complete";
}

// ErrorCode is a uint16 of the management family; 0 if there is no error.
std::uint16_t error_code_of(const Job& job) {
  return job.error ? static_cast<std::uint16_t>(return_code(job.error->code, CodeFamily::kManagement)) : 0;
}

void set_times(const Job& job, WallTime now, cim::Instance& instance) {
  const WallTime last = job.ended.value_or(job.started.value_or(job.created));
  instance.set("TimeSubmitted", Value(cim::Datetime::at(job.created)));
  instance.set("InstallDate", Value(cim::Datetime::at(job.created)));
  instance.set("TimeOfLastStateChange", Value(cim::Datetime::at(last)));
  if (!job.started) return;
  instance.set("StartTime", Value(cim::Datetime::at(*job.started)));
  instance.set("ElapsedTime", Value(cim::Datetime::interval(job.ended.value_or(now) - *job.started)));
}

void set_error(const Job& job, cim::Instance& instance) {
  instance.set("ErrorCode", Value(error_code_of(job)));
  if (!job.error) return;
  instance.set("ErrorDescription", Value(job.error->describe()));
  instance.set("ErrorSummaryDescription", Value(job.error->message));
}

// What the two classes have in common.
cim::Instance common_instance(const Job& job, std::string_view class_name, WallTime now) {
  const TypeRow& type = row_of(job.type);
  cim::Instance instance;
  instance.class_name = class_name;
  instance.set("InstanceID", Value(upper(job.id.str())));
  instance.set("Name", Value(class_name));
  instance.set("Caption", Value(type.caption));
  instance.set("ElementName", Value(type.caption));
  instance.set("Description", Value(fmt::format("{} \"{}\"", to_string(job.type), job.subject)));
  instance.set("JobState", Value(static_cast<std::uint16_t>(cim_state_of(job.state))));
  instance.set("JobStatus", Value(status_of(job)));
  instance.set("Status", Value(job.error ? "Error" : "OK"));
  instance.set("OperationalStatus", Value::array_of(std::vector<std::uint16_t>{std::uint16_t(job.error ? 6 : 2)}));
  instance.set("StatusDescriptions", Value::array_of(std::vector<std::string>{job.error ? "Error" : "OK"}));
  instance.set("HealthState", Value(std::uint16_t(job.error ? 20 : 5)));
  instance.set("PercentComplete", Value(percent_of(job)));
  instance.set("JobRunTimes", Value(std::uint32_t{1}));
  instance.set("LocalOrUtcTime", Value(std::uint16_t{2}));
  instance.set("Cancellable", Value(!is_ended(job.state)));
  instance.set("DeleteOnCompletion", Value(false));
  if (!job.owner.empty()) instance.set("Owner", Value(job.owner));
  set_times(job, now, instance);
  set_error(job, instance);
  return instance;
}

Value error_instance(const Error& error, const std::string& message) {
  cim::Instance instance;
  instance.class_name = "Msvm_Error";
  instance.set("Message", Value(message));
  instance.set("MessageID", Value(to_string(error.code)));
  instance.set("OwningEntity", Value("Cohort"));
  instance.set("ErrorType", Value(std::uint16_t{4}));
  instance.set("PerceivedSeverity", Value(std::uint16_t{4}));
  instance.set("CIMStatusCode", Value(static_cast<std::uint32_t>(cim::status_of(error.code))));
  return Value(std::move(instance));
}

Result<cim::MethodResult> get_error(const Job& job) {
  if (!job.error) return returned(kNoError);
  return returned(kNoError, {{"Error", error_instance(*job.error, job.error->describe())}});
}

// The sentence first, then what was being done, the cause last.
Result<cim::MethodResult> get_error_ex(const Job& job) {
  if (!job.error) return returned(kNoError);
  std::vector<cim::Element> errors;
  const auto add = [&](const std::string& message) {
    if (!message.empty()) errors.push_back(error_instance(*job.error, message).element());
  };
  add(job.error->message);
  for (const std::string& frame : job.error->context) add(frame);
  add(job.error->cause);
  return returned(kNoError, {{"Errors", Value::array(cim::Type::kInstance, std::move(errors))}});
}

}  // namespace

const char* caption_of(JobType type) { return row_of(type).caption; }

CimJobState cim_state_of(JobState state) {
  switch (state) {
    case JobState::kCompleted:
      return CimJobState::kCompleted;
    case JobState::kFailed:
      return CimJobState::kException;
    case JobState::kCancelled:
      return CimJobState::kTerminated;
    default:
      return CimJobState::kRunning;
  }
}

cim::Instance job_instance(const Job& job, WallTime now) {
  if (job.type == JobType::kExportReferencePoint) return common_instance(job, kReferencePointExportClass, now);
  auto instance = common_instance(job, kConcreteClass, now);
  instance.set("JobType", Value(row_of(job.type).cim_type));
  return instance;
}

std::string_view ConcreteJobProvider::class_name() const {
  return which_ == JobClass::kConcrete ? kConcreteClass : kReferencePointExportClass;
}

bool ConcreteJobProvider::is_of_class(const Job& job) const {
  return (job.type == JobType::kExportReferencePoint) == (which_ == JobClass::kReferencePointExport);
}

Result<cim::Instance> ConcreteJobProvider::instance_of(const Job& job) {
  auto instance = job_instance(job, clock_.wall());
  instance.set("JobState", Value(static_cast<std::uint16_t>(shown_state_of(job))));
  if (which_ == JobClass::kConcrete) return instance;
  COHORT_TRY(add_exported_reference_point(job, state_, instance));
  return instance;
}

Result<std::vector<cim::Instance>> ConcreteJobProvider::instances() {
  COHORT_ASSIGN(const auto jobs, state_.jobs());
  std::vector<cim::Instance> all;
  for (const Job& job : jobs) {
    if (!is_of_class(job)) continue;
    COHORT_ASSIGN(auto one, instance_of(job));
    all.push_back(std::move(one));
  }
  return all;
}

Result<std::optional<cim::Instance>> ConcreteJobProvider::find(const cim::ObjectPath& path) {
  const auto id = id_in<JobId>(path, "InstanceID");
  if (!id) return std::nullopt;
  COHORT_ASSIGN(const auto job, if_found(state_.job(*id)));
  if (!job || !is_of_class(*job)) return std::nullopt;
  return instance_of(*job);
}

Right ConcreteJobProvider::right_for(std::string_view method) const {
  return cim::same_name(method, "GetError") || cim::same_name(method, "GetErrorEx") ? Right::kLook : Right::kOperate;
}

Result<cim::MethodResult> ConcreteJobProvider::invoke(const MethodCall& call) {
  const auto id = id_in<JobId>(call.object, "InstanceID");
  if (!id) return fail(ErrorCode::kNotFound, "There is no such job.");
  COHORT_ASSIGN(const Job job, state_.job(*id));
  if (call.method == "GetError") return get_error(job);
  if (call.method == "GetErrorEx") return get_error_ex(job);
  if (call.method == "RequestStateChange") return request_state_change(call, job);
  if (call.method == "KillJob") return kill_job(call, job);
  return returned(kNotSupported);
}

Result<cim::MethodResult> ConcreteJobProvider::request_state_change(const MethodCall& call, const Job& job) {
  const auto* wanted = call.parameter("RequestedState").get_if<std::uint16_t>();
  if (wanted == nullptr || *wanted < kStart || *wanted > kService) return returned(kInvalidParameter);
  if (*wanted != kTerminate && *wanted != kKill) return returned(kNotSupported);
  const auto* timeout = call.parameter("TimeoutPeriod").get_if<cim::Datetime>();
  if (timeout != nullptr && timeout->count().count() != 0) return returned(kNoTimeout);
  if (is_ended(job.state)) return returned(kInvalidTransition);
  return returned(cancel(job, *wanted == kKill) ? kTransitionStarted : kFailed);
}

Result<cim::MethodResult> ConcreteJobProvider::kill_job(const MethodCall& call, const Job& job) {
  const auto* is_to_delete = call.parameter("DeleteOnKill").get_if<bool>();
  if (is_to_delete != nullptr && *is_to_delete) return returned(kNotSupported);
  if (is_ended(job.state)) return returned(kFailed);
  return returned(cancel(job, true) ? kNoError : kFailed);
}

Result<void> ConcreteJobProvider::cancel(const Job& job, bool is_kill) {
  if (is_kill) {
    const std::scoped_lock lock(mutex_);
    killed_.insert(job.id);
  }
  return state_.request_cancel(job.id);
}

CimJobState ConcreteJobProvider::shown_state_of(const Job& job) const {
  const CimJobState state = cim_state_of(job.state);
  const std::scoped_lock lock(mutex_);
  return state == CimJobState::kTerminated && killed_.contains(job.id) ? CimJobState::kKilled : state;
}

}  // namespace cohort::provider
