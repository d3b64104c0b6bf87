#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/arguments/values.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class PackageShow final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {
        .name = "show",
        .summary = "say what a package holds",
        .description =
            "Shows what the manifest of the package says: the collection, the snapshot and its instant, the machines "
            "and their disks, and the packages that it stands on. Nothing is verified: see `cohort verify`.",
        .examples = {{"cohort package show /backup/shop-tuesday", "What is in it, and what it stands on."}}};
  }

  void declare(Arguments& arguments) override { arguments.required("DIR", directory_, "The package."); }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto directory, parse_folder(directory_));
    COHORT_ASSIGN(const auto stored, context.session().package(directory));
    return answer(Json{{"package", to_json(stored)}}, report_package(stored));
  }

 private:
  std::string directory_;
};

}  // namespace

std::unique_ptr<Verb> make_package_show() { return std::make_unique<PackageShow>(); }

}  // namespace cohort::cli
