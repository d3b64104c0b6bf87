#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class CollectionShow final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "show",
            .summary = "show a collection and its machines",
            .description =
                "Shows the collection, its members, and all machines that a snapshot would take, each "
                "with its present state; \"missing\" ones no longer exist.",
            .examples = {}};
  }

  void declare(Arguments& arguments) override { arguments.required("COLLECTION", collection_, "Name or id."); }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto view, context.session().collection(collection_));
    return answer(Json{{"collection", to_json(view)}}, report_collection(view, context.detail()));
  }

 private:
  std::string collection_;
};

}  // namespace

std::unique_ptr<Verb> make_collection_show() { return std::make_unique<CollectionShow>(); }

}  // namespace cohort::cli
