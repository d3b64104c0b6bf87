#include <memory>

#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class CollectionList final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "list",
            .summary = "list all collections",
            .description = "Shows every collection with its members and how many snapshots it has.",
            .examples = {}};
  }

  void declare(Arguments& /*arguments*/) override {}

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto views, context.session().collections());
    return answer(Json{{"collections", list_to_json(views)}}, report_collections(views, context.detail()));
  }
};

}  // namespace

std::unique_ptr<Verb> make_collection_list() { return std::make_unique<CollectionList>(); }

}  // namespace cohort::cli
