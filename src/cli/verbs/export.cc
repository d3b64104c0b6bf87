#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/arguments/shared_options.h"
#include "cli/arguments/values.h"
#include "cli/output/report.h"
#include "cli/plan_or_carry_out.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class Export final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {
        .name = "export",
        .summary = "write a snapshot to a directory",
        .description =
            "Copies the frozen disks of the snapshot, the configuration of its machines, and "
            "their UEFI and TPM state to the package DIR, with a SHA-256 of every file. The "
            "machines may run meanwhile.\n\n"
            "DIR must not exist, or be empty; its parent must exist. The package grows as "
            "DIR.partial and gets its name when all of it is on the disk: a package that is there "
            "is whole. Nothing is left of an export that fails or is cancelled.\n\n"
            "With --since PACKAGE, disks are exported as the difference from an earlier package of the "
            "same collection, full or itself a difference: only what has changed since. The snapshot "
            "that PACKAGE was exported from must still be there, or a reference point that was made of it "
            "(`cohort reference`). Instead of PACKAGE that snapshot or reference point can be named: its package is "
            "then looked for beside DIR, and under the name of DIR in the folders beside its own. A disk of which the "
            "changes are not "
            "known (it is new, has another size, was moved or written to by others) goes whole, and it "
            "is said why. The new package stands on PACKAGE: keep both, at the same places as seen from "
            "each other. verify, import and try follow the chain. With --merge, the new package is a full one "
            "and stands on nothing: what has not changed comes from PACKAGE, which is verified for that and stays as "
            "it is. Meanwhile the difference lies in DIR.difference.partial.\n\n"
            "With --no-hash the disks get no hash. On a file system that can share what files have in "
            "common (XFS, btrfs), a package beside the disks then takes a moment and nearly no room, "
            "whatever their size. Nobody can tell whether such a disk stays as it was exported, so the "
            "package has to be sealed (verify --seal) before it can be imported or tried.",
        .examples = {
            {"cohort export before-upgrade /backup/shop --rate-limit 50M", "Writes 50 MiB per second at most."},
            {"cohort export before-upgrade /backup/shop --compress", "Takes less room, and more of the processors."},
            {"cohort export tuesday /backup/shop-tuesday --since /backup/shop-monday",
             "Only what has changed since the snapshot of Monday's package."},
            {"cohort export tuesday /backup/shop-tuesday --since monday",
             "The same, by the name of the snapshot or reference point."},
            {"cohort export tuesday /backup/shop-tuesday --since monday --merge",
             "A full package, of which only what has changed is read from the machines' disks."},
            {"cohort export before-upgrade /srv/vm/copy --no-hash",
             "Takes a moment if /srv/vm has the disks, and is XFS or btrfs."},
            {"cohort export before-upgrade /backup --subdirectory --format raw",
             "Writes to /backup/shop, the disks as raw files."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("SNAPSHOT", snapshot_, "Name or id.");
    arguments.required("DIR", directory_, "The package.");
    export_.declare(arguments);
    since_.declare(arguments);
    arguments.dry_run(is_dry_run_);
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    service::ExportRequest request;
    request.snapshot = snapshot_;
    COHORT_ASSIGN(request.directory, parse_folder(directory_));
    COHORT_TRY(export_.apply_to(request));
    COHORT_TRY(since_.apply_to(request));
    return plan_or_export(request, is_dry_run_, context);
  }

 private:
  std::string snapshot_;
  std::string directory_;
  SinceOption since_;
  ExportOptions export_;
  bool is_dry_run_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_export() { return std::make_unique<Export>(); }

}  // namespace cohort::cli
