// How a verb says what may follow it on the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace cohort::cli {

// Adds arguments that are stored into the caller's variables when the command line is parsed; those must live until
// then, and keep their value where the argument is not given. Names and kinds say what an argument holds, for help and
// for completion: COLLECTION, SNAPSHOT, REFERENCE, MACHINE, MEMBER, JOB, DIR, FORMAT, NETWORK, SHELL, or anything else.
// Help texts are ASCII.
class Arguments {
 public:
  explicit Arguments(CLI::App& app) : app_(app) {}

  // Positional, in this order.
  void required(const std::string& name, std::string& value, const std::string& help);
  void optional(const std::string& name, std::string& value, const std::string& help);
  void required_many(const std::string& name, std::vector<std::string>& values, const std::string& help);
  void optional_many(const std::string& name, std::vector<std::string>& values, const std::string& help);

  // "--name", or "-n,--name".
  void flag(const std::string& names, bool& value, const std::string& help);
  // "--name" or "--name=value": a word that follows is never its value. Without one, `value` is kNoValue.
  static constexpr const char* kNoValue = "true";
  void flag_with_value(const std::string& names, std::string& value, const std::string& help);
  void option(const std::string& names, std::string& value, const std::string& kind, const std::string& help);
  void option(const std::string& names, std::int64_t& value, const std::string& kind, const std::string& help);
  void option(const std::string& names, std::optional<std::int64_t>& value, const std::string& kind,
              const std::string& help);
  // Not negative.
  void option(const std::string& names, double& value, const std::string& kind, const std::string& help);
  // Can be given several times, each with one value.
  void repeated_option(const std::string& names, std::vector<std::string>& values, const std::string& kind,
                       const std::string& help);
  void dry_run(bool& value) { flag("--dry-run", value, "Say what would be done, and do nothing."); }

 private:
  CLI::App& app_;
};

// The words of a command line as CLI11 has to get them. By itself it takes "[a]" for a list, and does not hold on to
// what follows "--": such words are marked as plain values, and Arguments takes the mark off again.
[[nodiscard]] std::vector<std::string> mark_plain_words(const std::vector<std::string>& words);
[[nodiscard]] std::string without_mark(std::string word);

}  // namespace cohort::cli
