#include <fmt/format.h>

#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/output/printable.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class CollectionRename final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "rename",
            .summary = "give a collection another name",
            .description =
                "The id stays, and so do the snapshots; snapshots show the name that the collection "
                "had at the instant.",
            .examples = {{"cohort collection rename shop old-shop",
                          "The collection \"shop\" is called \"old-shop\" from now on."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("COLLECTION", collection_, "Name or id.");
    arguments.required("NEW", new_name_, "The new name.");
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto renamed, context.session().rename_collection(collection_, new_name_));
    return notice(Json{{"collection", to_json(renamed)}},
                  fmt::format("The collection is called \"{}\" now.\n", printable(renamed.name)));
  }

 private:
  std::string collection_;
  std::string new_name_;
};

}  // namespace

std::unique_ptr<Verb> make_collection_rename() { return std::make_unique<CollectionRename>(); }

}  // namespace cohort::cli
