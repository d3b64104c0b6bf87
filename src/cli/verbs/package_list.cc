#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/arguments/values.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class PackageList final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {
        .name = "list",
        .summary = "list the packages in a folder",
        .description =
            "Lists the packages that lie in the folder DIR, the earliest instant first: what each is of, how much it "
            "takes on the disk, and which package it stands on if it is a difference. Their manifests are read and "
            "nothing else: `cohort verify` tells whether a package is whole. What cannot be used is said below "
            "the list: a package that stands on one which is not there, or one that was left half written.",
        .examples = {{"cohort package list /backup", "The packages in /backup."}}};
  }

  void declare(Arguments& arguments) override { arguments.required("DIR", folder_, "The folder with the packages."); }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto folder, parse_folder(folder_));
    COHORT_ASSIGN(const auto packages, context.session().packages(folder));
    return answer(Json{{"packages", list_to_json(packages)}}, report_packages(packages));
  }

 private:
  std::string folder_;
};

}  // namespace

std::unique_ptr<Verb> make_package_list() { return std::make_unique<PackageList>(); }

}  // namespace cohort::cli
