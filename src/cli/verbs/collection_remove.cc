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

class CollectionRemove final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "remove",
            .summary = "remove members from a collection",
            .description =
                "Removes members from the collection: all that are named, or none. The machines are "
                "not touched. A missing machine is named by its last name or its UUID. Snapshots that "
                "were taken keep it.",
            .examples = {}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("COLLECTION", collection_, "Name or id.");
    arguments.required_many("MEMBER", members_, "Machines, or collections, to remove.");
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto changed, context.session().remove_members(collection_, members_));
    return notice(Json{{"collection", to_json(changed)}},
                  fmt::format("Removed {} from the collection \"{}\".\n",
                              count_of(members_.size(), "member", "members"), printable(changed.name)));
  }

 private:
  std::string collection_;
  std::vector<std::string> members_;
};

}  // namespace

std::unique_ptr<Verb> make_collection_remove() { return std::make_unique<CollectionRemove>(); }

}  // namespace cohort::cli
