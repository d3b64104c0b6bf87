#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/arguments/shared_options.h"
#include "cli/output/report.h"
#include "cli/plan_or_carry_out.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class ReferenceDelete final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {
        .name = "delete",
        .summary = "merge a reference point back into the disks and forget it",
        .description =
            "As `cohort snapshot delete`: what the machines have written since is merged into the files below, "
            "machines running or not, and the guests do not notice. Other reference points and snapshots stay, in "
            "whatever order they are deleted, and so do packages: only differences from this one cannot be exported "
            "any more. If it is cancelled or fails half way, it stays as \"deleting\", and the same command goes on "
            "with the rest.",
        .examples = {{"cohort reference delete monday", "Deletes this reference point."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("REFERENCE", reference_point_, "Name or id.");
    delete_.declare(arguments);
    arguments.dry_run(is_dry_run_);
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    service::DeleteSnapshotRequest request{reference_point_};
    request.is_reference_point = true;
    delete_.apply_to(request);
    return plan_or_delete(request, is_dry_run_, context);
  }

 private:
  std::string reference_point_;
  DeleteOptions delete_;
  bool is_dry_run_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_reference_delete() { return std::make_unique<ReferenceDelete>(); }

}  // namespace cohort::cli
