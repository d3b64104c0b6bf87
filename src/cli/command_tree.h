// All nouns and verbs: the one source of parsing, help, manual pages and completion.
#pragma once

#include <CLI/CLI.hpp>

#include <map>
#include <memory>
#include <vector>

#include "cli/context.h"
#include "cli/verb.h"

namespace cohort::cli {

class CommandTree {
 public:
  CommandTree();
  CommandTree(const CommandTree&) = delete;
  CommandTree& operator=(const CommandTree&) = delete;

  [[nodiscard]] CLI::App& root() { return root_; }
  [[nodiscard]] const CLI::App& root() const { return root_; }
  [[nodiscard]] const GlobalOptions& options() const { return options_; }
  // Of the program, a noun or a verb.
  [[nodiscard]] const Manual& manual(const CLI::App& app) const { return manuals_.at(&app); }
  // The innermost command that the parsed command line names: the program, a noun or a verb.
  [[nodiscard]] const CLI::App& chosen() const;
  // Nothing if that is no verb.
  [[nodiscard]] Verb* chosen_verb() const;
  // Nouns and verbs directly below, in the order of the help; hidden ones left out.
  [[nodiscard]] std::vector<const CLI::App*> children(const CLI::App& app) const;

 private:
  void declare_global_options();
  CLI::App& add_noun(const Manual& manual);
  void add_verb(CLI::App& parent, std::unique_ptr<Verb> verb);
  void add_collection_verbs();
  void add_snapshot_verbs();
  void add_reference_verbs();
  void add_package_verbs();
  void add_job_verbs();
  void add_host_verbs();

  GlobalOptions options_;
  CLI::App root_;
  std::map<const CLI::App*, Manual> manuals_;
  std::map<const CLI::App*, std::unique_ptr<Verb>> verbs_;
};

// "cohort collection create".
[[nodiscard]] std::string command_path(const CLI::App& app);

}  // namespace cohort::cli
