#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class ReferenceList final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "list",
            .summary = "list reference points, oldest first",
            .description = "Lists the reference points of one collection, or of all.",
            .examples = {}};
  }

  void declare(Arguments& arguments) override {
    arguments.optional("COLLECTION", collection_, "Only those of this collection, by name or id.");
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto points, context.session().reference_points(collection_));
    Json list = Json::array();
    for (const auto& point : points) list.push_back(reference_point_to_json(point));
    return answer(Json{{"reference_points", std::move(list)}}, report_reference_points(points, context.detail()));
  }

 private:
  std::string collection_;
};

}  // namespace

std::unique_ptr<Verb> make_reference_list() { return std::make_unique<ReferenceList>(); }

}  // namespace cohort::cli
