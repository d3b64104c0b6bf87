#include <fmt/format.h>

#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/output/printable.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class CollectionDelete final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "delete",
            .summary = "forget a collection",
            .description =
                "Forgets the collection; its machines are not touched. A collection that has "
                "snapshots, or that is a member of another, is kept: delete or remove those first. So is "
                "one that a job works on.",
            .examples = {}};
  }

  void declare(Arguments& arguments) override { arguments.required("COLLECTION", collection_, "Name or id."); }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto removed, context.session().remove_collection(collection_));
    return notice(
        Json{{"collection", to_json(removed)}},
        fmt::format("Deleted the collection \"{}\"; its members were not touched.\n", printable(removed.name)));
  }

 private:
  std::string collection_;
};

}  // namespace

std::unique_ptr<Verb> make_collection_delete() { return std::make_unique<CollectionDelete>(); }

}  // namespace cohort::cli
