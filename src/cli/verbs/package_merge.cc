#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/arguments/values.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class PackageMerge final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "merge",
            .summary = "make a package that stands alone of a difference",
            .description =
                "Makes the package NEW of the difference DIR (export --since) and all packages that it stands on: it "
                "holds the same machines at the same instant, and stands alone. The machines and their snapshots are "
                "not needed and not touched, and neither are the packages that are merged: delete them when no "
                "other difference stands on them. The state's lock is held meanwhile, so that other changes have to "
                "wait.\n\n"
                "All of them are verified first, and each new image has to have the content that the difference has by "
                "its manifest. If anything fails, or on ctrl-C, nothing is left of NEW.",
            .examples = {{"cohort package merge /backup/shop-tuesday /backup/shop-tuesday-alone",
                          "Tuesday's difference with Monday's package, as one."},
                         {"cohort package merge /backup/shop-tuesday /mnt/usb/shop --dry-run",
                          "Says what would be merged, and how much would be written."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("DIR", directory_, "The difference.");
    arguments.required("NEW", new_, "The new package; its parent folder must exist.");
    arguments.dry_run(is_dry_run_);
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    service::MergeRequest request;
    COHORT_ASSIGN(request.package, parse_folder(directory_));
    COHORT_ASSIGN(request.directory, parse_folder(new_));
    if (is_dry_run_) {
      COHORT_ASSIGN(const auto plan, context.session().plan_merge(request));
      return planned(to_json(plan), report_merge_plan(plan));
    }
    COHORT_ASSIGN(const auto report, context.run_job([&](const client::JobWatch& watch) {
      return context.session().merge_package(request, watch);
    }));
    return notice(Json{{"merge", to_json(report)}}, report_merge(report));
  }

 private:
  std::string directory_;
  std::string new_;
  bool is_dry_run_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_package_merge() { return std::make_unique<PackageMerge>(); }

}  // namespace cohort::cli
