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

class CollectionCreate final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {
        .name = "create",
        .summary = "make a collection",
        .description =
            "Makes the collection NAME of these machines, by name or UUID. With --of-collections "
            "the members are collections, and a snapshot takes the machines of all of them. "
            "Members can be added later.",
        .examples = {{"cohort collection create shop db queue web", "Three machines become the collection \"shop\"."},
                     {"cohort collection create site --of-collections shop mail", "Two collections become one."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("NAME", name_, "The new collection's name.");
    arguments.optional_many("MACHINE", members_, "Its members; with --of-collections, collections.");
    arguments.flag("--of-collections", is_of_collections_, "Make a collection of collections.");
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    const auto kind = is_of_collections_ ? CollectionKind::kCollections : CollectionKind::kMachines;
    COHORT_ASSIGN(const auto made, context.session().create_collection(name_, kind, members_));
    const char* plural = is_of_collections_ ? "collections" : "machines";
    const char* singular = is_of_collections_ ? "collection" : "machine";
    return notice(Json{{"collection", to_json(made)}},
                  fmt::format("Made the collection \"{}\" of {}.\n", printable(made.name),
                              count_of(members_.size(), singular, plural)));
  }

 private:
  std::string name_;
  std::vector<std::string> members_;
  bool is_of_collections_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_collection_create() { return std::make_unique<CollectionCreate>(); }

}  // namespace cohort::cli
