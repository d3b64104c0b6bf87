#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/command_tree.h"
#include "cli/completion/bash.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class Completion final : public Verb {
 public:
  explicit Completion(const CommandTree& tree) : tree_(tree) {}
  [[nodiscard]] Manual manual() const override {
    return {.name = "completion",
            .summary = "print a completion script for the shell",
            .description =
                "Prints the completion script of a shell; only bash is known. It completes nouns, "
                "verbs, options and folders, and the names of collections, snapshots, machines and "
                "jobs by asking this program.",
            .examples = {{"source <(cohort completion bash)", "Completion in this shell."},
                         {"cohort completion bash > /etc/bash_completion.d/cohort", "Completion for all."}}};
  }

  [[nodiscard]] bool needs_state() const override { return false; }

  void declare(Arguments& arguments) override { arguments.required("SHELL", shell_, "bash"); }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    static_cast<void>(context);
    if (shell_ != "bash") {
      return fail(ErrorCode::kInvalidArgument, "There is no completion for \"{}\"; there is one for bash.", shell_);
    }
    const auto script = bash_completion(tree_);
    return answer(Json{{"script", script}}, script);
  }

 private:
  const CommandTree& tree_;
  std::string shell_;
};

}  // namespace

std::unique_ptr<Verb> make_completion(const CommandTree& tree) { return std::make_unique<Completion>(tree); }

}  // namespace cohort::cli
