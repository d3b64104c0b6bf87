#include <memory>
#include <string>
#include <vector>

#include "cli/arguments/arguments.h"
#include "cli/arguments/values.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class HostDoctor final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "doctor",
            .summary = "find what is amiss, and mend it on request",
            .description =
                "Looks for what crashes, other tools and moved files leave behind: jobs that were not "
                "finished, overlays that no snapshot knows, snapshots whose machines or files have "
                "changed, machines that run on another file than libvirt takes for their disk, members that "
                "stand still, and packages that were not finished. Says what it "
                "found and what mending would do, and changes nothing.\n\n"
                "With --mend and the id of a finding, that one is mended. The exit status is 5 as long as "
                "something is amiss.",
            .examples = {{"cohort host doctor --folder /backup", "Looks, also for unfinished packages there."},
                         {"cohort host doctor --mend paused_machine:db", "Lets this machine run again."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.repeated_option("--mend", mend_, "ID", "Mend this finding; can be repeated.");
    arguments.repeated_option("--folder", folders_, "DIR",
                              "Look for unfinished packages right below this folder; can be repeated.");
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    service::DoctorRequest request;
    request.mend = mend_;
    for (const auto& folder : folders_) {
      COHORT_ASSIGN(auto path, parse_folder(folder));
      request.folders.push_back(std::move(path));
    }
    COHORT_ASSIGN(const auto report, context.run_job([&](const client::JobWatch& watch) {
      return context.session().doctor(request, watch);
    }));
    Outcome outcome = answer(Json{{"doctor", to_json(report)}}, report_doctor(report));
    outcome.exit_code = report.ailments.empty() ? kExitDone : exit_code(ErrorCode::kInvalidState);
    return outcome;
  }

 private:
  std::vector<std::string> mend_;
  std::vector<std::string> folders_;
};

}  // namespace

std::unique_ptr<Verb> make_host_doctor() { return std::make_unique<HostDoctor>(); }

}  // namespace cohort::cli
