#include <memory>
#include <string>
#include <vector>

#include "cli/arguments/arguments.h"
#include "cli/arguments/values.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

constexpr const char* kDefaultAgentPatience = "300s";

class Try final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {
        .name = "try",
        .summary = "boot a package for a look, and leave nothing behind",
        .description =
            "Verifies the package and starts its machines straight from its files, beside the "
            "originals and without copying a disk: what they write goes to throw-away overlays. "
            "They have new UUIDs, MAC addresses and names, and their interfaces are not connected; "
            "with --network isolated they see each other, and nobody else. When the try is over, "
            "machines, overlays and network are removed; the package is not changed, not even the "
            "owner or a time of a file. If this program is killed, the machines end with it, and the "
            "next command that changes something removes the rest.\n\n"
            "A try runs until it is interrupted (ctrl-C, or cohort job cancel), which is its normal "
            "end. With --for it runs for that time. With --wait-for-agent it ends as soon as the guest "
            "agents of all machines have answered, and fails with status 8 if one does not; with both, "
            "the time begins then. Where an end was asked for, an interrupt before it is a cancel "
            "(status 130). If a machine crashes, the report says so, and the exit status is 5.\n\n"
            "Whether the machines may be started at all is judged as in cohort import, and so is "
            "--trust. The disks are read through files that this program opens, so QEMU's user needs no "
            "access to the package. Other commands that change the same state fail as long as it runs. "
            "Use --state for a second try at a time.",
        .examples = {{"cohort try /backup/shop-monday --wait-for-agent", "Proves that the machines of a backup boot."},
                     {"cohort try /backup/shop-monday --network isolated",
                      "Lets them talk to each other, until ctrl-C; virsh console try-db shows one."},
                     {"cohort try /backup/shop-monday --machine db --for 10m", "One machine, for ten minutes."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("DIR", directory_, "The package.");
    arguments.repeated_option("--machine", machines_, "NAME",
                              "Only this machine, by its name in the package; can be repeated.");
    arguments.flag_with_value("--wait-for-agent", agent_patience_,
                              "Wait until the guest agents of all machines answer; for 300 seconds at most, or "
                              "=DURATION.");
    arguments.option("--for", run_for_, "DURATION", "Run so long: seconds, or 30s, 5m, 1h.");
    arguments.option("--network", network_, "NETWORK", "none (default) or isolated.");
    arguments.repeated_option("--trust", trusted_, "KIND",
                              "Accept machines that ask for this of the host, as in cohort import; can be repeated.");
    arguments.option("--scratch", scratch_, "DIR", "Folder for what the machines write; default: the state's.");
    arguments.option("--name-prefix", name_prefix_, "PREFIX",
                     "Put this before every name; default: try-. A number follows where the name is taken.");
    arguments.dry_run(is_dry_run_);
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto wanted, request());
    if (is_dry_run_) {
      COHORT_ASSIGN(const auto plan, context.session().plan_try(wanted));
      return planned(to_json(plan), report_try_plan(plan));
    }
    COHORT_ASSIGN(const auto report, context.run_job(
                                         [&](const client::JobWatch& watch, Progress& progress) {
                                           return context.session().try_package(
                                               wanted, watch, [&](const service::TryReport& running) {
                                                 progress.say(report_running(running, context.options().connect));
                                               });
                                         },
                                         "Ending the try: what was made for it is being removed."));
    Outcome outcome = notice(Json{{"try", to_json(report)}}, report_try(report));
    if (report.has_crashed()) outcome.exit_code = exit_code(ErrorCode::kInvalidState);
    return outcome;
  }

 private:
  [[nodiscard]] Result<service::TryRequest> request() const {
    service::TryRequest request;
    COHORT_ASSIGN(request.directory, parse_folder(directory_));
    request.machines = machines_;
    request.name_prefix = name_prefix_;
    if (!scratch_.empty()) {
      COHORT_ASSIGN(request.scratch, parse_folder(scratch_));
    }
    COHORT_ASSIGN(request.network, service::try_network_from(network_));
    COHORT_ASSIGN(request.trusted, parse_trusted(trusted_));
    if (!agent_patience_.empty()) {
      const bool is_default = agent_patience_ == Arguments::kNoValue;
      COHORT_ASSIGN(request.agent_patience, parse_duration(is_default ? kDefaultAgentPatience : agent_patience_));
    }
    if (!run_for_.empty()) {
      COHORT_ASSIGN(request.run_for, parse_duration(run_for_));
    }
    return request;
  }

  std::string directory_;
  std::vector<std::string> machines_;
  std::string agent_patience_;
  std::string run_for_;
  std::string network_ = "none";
  std::vector<std::string> trusted_;
  std::string scratch_;
  std::string name_prefix_ = "try-";
  bool is_dry_run_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_try() { return std::make_unique<Try>(); }

}  // namespace cohort::cli
