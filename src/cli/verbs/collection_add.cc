#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "cli/arguments/arguments.h"
#include "cli/output/printable.h"
#include "cli/output/quantity.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class CollectionAdd final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "add",
            .summary = "add members to a collection",
            .description =
                "Adds machines, or collections to a collection of collections: all that are named, or "
                "none. One that is a member already is refused, and so is a collection that would "
                "come to contain itself. Snapshots that were taken stay as they are.",
            .examples = {}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("COLLECTION", collection_, "Name or id.");
    arguments.required_many("MEMBER", members_, "Machines, or collections, to add.");
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto changed, context.session().add_members(collection_, members_));
    return notice(Json{{"collection", to_json(changed)}},
                  fmt::format("Added {} to the collection \"{}\".\n", count_of(members_.size(), "member", "members"),
                              printable(changed.name)));
  }

 private:
  std::string collection_;
  std::vector<std::string> members_;
};

}  // namespace

std::unique_ptr<Verb> make_collection_add() { return std::make_unique<CollectionAdd>(); }

}  // namespace cohort::cli
