#include <memory>
#include <string>
#include <vector>

#include "cli/arguments/arguments.h"
#include "cli/arguments/shared_options.h"
#include "cli/arguments/values.h"
#include "cli/output/report.h"
#include "cli/plan_or_carry_out.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class ReferenceExport final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {
        .name = "export",
        .summary = "write what changed between two reference points to a directory",
        .description =
            "Writes a package as `cohort export` does, of what the machines held at the reference point: with --since "
            "BASE, an earlier reference point, snapshot or package, only what had changed since; without it, all of "
            "it. A disk of which the changes are not known goes whole, and it is said why.\n\n"
            "With --disk only the disks that are named are in the package. All machines are in it, and the manifest "
            "names the disks that were not chosen: a machine that is made of the package lacks them.",
        .examples = {{"cohort reference export tuesday /backup/shop-tuesday --since monday",
                      "What changed between the two reference points; the package of \"monday\" is in /backup, too."},
                     {"cohort reference export tuesday /backup/shop-tuesday --since monday --disk db/vda",
                      "The same, of one disk of one machine."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("REFERENCE", reference_point_, "Name or id.");
    arguments.required("DIR", directory_, "The package.");
    export_.declare(arguments);
    since_.declare(arguments);
    arguments.repeated_option(
        "--disk", disks_, "MACHINE/TARGET",
        "Only this disk, and others that are named so: web/vda. The target can be the disk's id.");
    arguments.dry_run(is_dry_run_);
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    service::ExportRequest request;
    request.snapshot = reference_point_;
    request.is_reference_point = true;
    COHORT_ASSIGN(request.directory, parse_folder(directory_));
    COHORT_TRY(export_.apply_to(request));
    COHORT_TRY(since_.apply_to(request));
    COHORT_ASSIGN(request.disks, parse_disks(disks_));
    return plan_or_export(request, is_dry_run_, context);
  }

 private:
  std::string reference_point_;
  std::string directory_;
  ExportOptions export_;
  SinceOption since_;
  std::vector<std::string> disks_;
  bool is_dry_run_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_reference_export() { return std::make_unique<ReferenceExport>(); }

}  // namespace cohort::cli
