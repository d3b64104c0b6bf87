#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cli/arguments/arguments.h"
#include "cli/command_tree.h"
#include "cli/manual/page.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class Help final : public Verb {
 public:
  explicit Help(const CommandTree& tree) : tree_(tree) {}
  [[nodiscard]] Manual manual() const override {
    return {.name = "help",
            .summary = "print help or a manual page",
            .description = "Prints the help of a command, or with --man its manual page as roff source.",
            .examples = {},
            .is_hidden = true};
  }

  [[nodiscard]] bool needs_state() const override { return false; }

  void declare(Arguments& arguments) override {
    arguments.optional_many("COMMAND", words_, "Noun and verb.");
    arguments.flag("--man", is_manual_, "The manual page.");
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    static_cast<void>(context);
    COHORT_ASSIGN(const CLI::App* app, wanted());
    const CLI::App* parent = app->get_parent();
    const auto text = is_manual_ ? manual_page(tree_, *app) : app->help(parent == nullptr ? "" : command_path(*parent));
    return answer(Json{{"help", text}}, text);
  }

 private:
  [[nodiscard]] Result<const CLI::App*> wanted() const {
    const CLI::App* app = &tree_.root();
    for (const auto& word : words_) {
      const auto children = tree_.children(*app);
      const auto child = std::find_if(children.begin(), children.end(),
                                      [&word](const CLI::App* candidate) { return candidate->get_name() == word; });
      if (child == children.end()) {
        return fail(ErrorCode::kNotFound, "There is no command \"{} {}\".", command_path(*app), word);
      }
      app = *child;
    }
    return app;
  }

  const CommandTree& tree_;
  std::vector<std::string> words_;
  bool is_manual_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_help(const CommandTree& tree) { return std::make_unique<Help>(tree); }

}  // namespace cohort::cli
