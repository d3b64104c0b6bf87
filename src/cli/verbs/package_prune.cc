#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/arguments/shared_options.h"
#include "cli/arguments/values.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class PackagePrune final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {
        .name = "prune",
        .summary = "remove packages that are too old to be kept, and break no chain",
        .description =
            "Keeps the packages in the folder DIR that any of the --keep options names, for each collection by itself, "
            "and "
            "removes the others. Days, weeks (from Monday) and months are those of UTC. Of several packages of one "
            "snapshot, one is kept.\n\n"
            "A difference that is kept, and stands on a package that is not, is first merged with all that it stands "
            "on "
            "into a full package. That takes its place, under its name, in one step; differences that stand on it "
            "stand "
            "on it as before. A package is removed only when nothing in the folder stands on it any more, so that "
            "whatever is kept can be used at each moment, also if this program is killed. A merge needs room for a "
            "full "
            "package.\n\n"
            "Left alone, with what they stand on, are packages that cannot be read, have no disks, no hashes or not "
            "all "
            "disks, and links. Packages in other folders are not looked at: do not prune a folder if one there stands "
            "on a package here, nor while another host writes to it. No difference can be exported any more from a "
            "package that is gone, though its snapshot or reference point be there.",
        .examples = {{"cohort package prune /backup --keep-daily 7 --keep-weekly 4 --keep-monthly 12",
                      "Keeps one package of each of the last 7 days, 4 weeks and 12 months that have any."},
                     {"cohort package prune /backup --keep-last 3 --dry-run", "Says what would be done."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("DIR", folder_, "The folder with the packages.");
    keep_.declare(arguments);
    arguments.dry_run(is_dry_run_);
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    service::PruneRequest request;
    COHORT_ASSIGN(request.folder, parse_folder(folder_));
    COHORT_ASSIGN(request.retention, keep_.retention());
    if (is_dry_run_) {
      COHORT_ASSIGN(const auto plan, context.session().plan_prune(request));
      return planned(to_json(plan), report_prune_plan(plan));
    }
    COHORT_ASSIGN(const auto pruned, context.run_job([&](const client::JobWatch& watch) {
      return context.session().prune_packages(request, watch);
    }));
    return notice(Json{{"prune", to_json(pruned)}}, report_prune(pruned));
  }

 private:
  std::string folder_;
  KeepOptions keep_;
  bool is_dry_run_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_package_prune() { return std::make_unique<PackagePrune>(); }

}  // namespace cohort::cli
