#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/arguments/values.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class Verify final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {
        .name = "verify",
        .summary = "check that a package is whole",
        .description =
            "Reads every file of the package and compares it with the manifest: presence, size, "
            "SHA-256; every image is checked by qemu-img, and has to stand alone. All that is "
            "wrong is named.\n\n"
            "A package that is the difference from another (export --since) is checked with all that it "
            "stands on: each parent has to be there, to be the one that was meant, and to be whole; an "
            "image may name the parent's image that the manifest names, and nothing else.\n\n"
            "Disks that were exported with --no-hash have nothing that they could be compared with: the "
            "exit status is 5 if nothing else is wrong. With --seal they are hashed now, as they are, and "
            "the package is a whole one from then on. That is a change, for which the state is needed as for any "
            "other, and which a crash does not leave half done.\n\n"
            "The exit status is 12 if the package is not whole, and 11 if some of it cannot be read and "
            "the rest is right.",
        .examples = {{"cohort verify /backup/shop-monday", "Reads all of the package."},
                     {"cohort verify /backup/shop-tuesday --no-parents",
                      "Only the difference itself, not the package that it stands on."},
                     {"cohort verify /srv/vm/copy --seal", "Hashes what was exported with --no-hash."},
                     {"cohort verify /backup/shop-monday --quiet >/dev/null && echo whole", "Only the exit status."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("DIR", directory_, "The package.");
    arguments.flag("--seal", is_seal_, "Hash the disks that have no hash yet, if nothing else is wrong.");
    arguments.flag("--no-parents", is_alone_, "Do not check what the package stands on.");
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto directory, parse_folder(directory_));
    COHORT_ASSIGN(const auto report, context.run_job([&](const client::JobWatch& watch) {
      const package::VerifyOptions options{.with_parents = !is_alone_};
      return is_seal_ ? context.session().seal(directory, options, watch)
                      : context.session().verify(directory, options, watch);
    }));
    Outcome outcome = answer(Json{{"verify", to_json(report)}}, report_verify(report, context.detail()));
    outcome.exit_code = report.is_whole() ? kExitDone : exit_code(report.failure());
    return outcome;
  }

 private:
  std::string directory_;
  bool is_seal_ = false;
  bool is_alone_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_verify() { return std::make_unique<Verify>(); }

}  // namespace cohort::cli
