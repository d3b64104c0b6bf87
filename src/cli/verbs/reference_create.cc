#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/arguments/shared_options.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class ReferenceCreate final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {
        .name = "create",
        .summary = "make a reference point of all machines of a collection at one instant",
        .description =
            "Captures the machines as `cohort snapshot take` does, with the same options and the same promises, but "
            "what is kept is no snapshot: only a reference point. Machines that are paused or off are in it too.",
        .examples = {{"cohort reference create shop --name monday", "Makes a reference point and names it."},
                     {"cohort reference create shop --dry-run", "Says what would be captured."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("COLLECTION", collection_, "Name or id.");
    arguments.option("--name", name_, "NAME", "Name of the reference point; default: the collection and the instant.");
    take_.declare(arguments);
    arguments.dry_run(is_dry_run_);
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    service::TakeSnapshotRequest request;
    request.collection = collection_;
    request.name = name_;
    request.kind = SnapshotKind::kReferencePoint;
    COHORT_TRY(take_.apply_to(request));
    if (is_dry_run_) {
      COHORT_ASSIGN(const auto plan, context.session().plan_take_snapshot(request));
      return planned(plan_to_json(plan), report_snapshot_plan(plan, context.detail()));
    }
    COHORT_ASSIGN(const auto created, context.run_job([&](const client::JobWatch& watch) {
      return context.session().take_snapshot(request, watch);
    }));
    return notice(Json{{"reference_point", reference_point_to_json(created)}},
                  report_snapshot(created, context.detail()));
  }

 private:
  std::string collection_;
  std::string name_;
  TakeOptions take_;
  bool is_dry_run_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_reference_create() { return std::make_unique<ReferenceCreate>(); }

}  // namespace cohort::cli
