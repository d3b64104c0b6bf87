#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/completion/names.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class Complete final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "complete",
            .summary = "print names for completion",
            .description = "One name a line, as the completion script wants them.",
            .examples = {},
            .is_hidden = true};
  }

  void declare(Arguments& arguments) override { arguments.required("KIND", kind_, "What the names are of."); }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto names, names_of(kind_, context.session()));
    std::string text;
    for (const auto& name : names) {
      text += name + "\n";
    }
    return answer(Json{{"names", names}}, text);
  }

 private:
  std::string kind_;
};

}  // namespace

std::unique_ptr<Verb> make_complete() { return std::make_unique<Complete>(); }

}  // namespace cohort::cli
