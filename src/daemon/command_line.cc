#include "daemon/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/exit_code.h"
#include "cli/output/printable.h"
#include "daemon/daemon.h"
#include "daemon/manual.h"
#include "daemon/password_check.h"
#include "daemon/users.h"

namespace cohort::daemon {
namespace {

struct Options {
  std::string configuration{kUsualConfiguration};
  bool checks = false, prints = false, prints_example = false, has_version = false;
  std::string manual, service;
  std::string user, role, means = "password";
  bool replaces = false;
};

// Builds the parser; what it reads goes to `options`.
class Arguments {
 public:
  explicit Arguments(Options& options) {
    app_.description("Answers WS-Management and CIM-XML clients for the machines of this host.");
    app_.add_option("--config", options.configuration, "The configuration file.")
        ->type_name("FILE")
        ->capture_default_str();
    app_.add_flag("--check-config", options.checks, "Check the configuration file and end.");
    app_.add_flag("--print-config", options.prints, "Print all settings with the values that count, and end.");
    app_.add_flag("--example-config", options.prints_example,
                  "Print a configuration file that explains all settings, and end.");
    app_.add_flag("--version", options.has_version, "Print the version and end.");
    app_.add_option("--man", options.manual, "")->group("");
    app_.add_option("--check-password", options.service, "")->group("");
    app_.require_subcommand(0, 1);
    user_ = app_.add_subcommand("user", "Change who may log in.");
    user_->require_subcommand(1);
    add_ = user_->add_subcommand("add", "Add a user; the password is the first line of standard input.");
    add_->add_option("NAME", options.user, "The user's name.")->required();
    add_->add_option(
            "--role", options.role,
            "reader (look), operator (take, export, clean up, start, stop), administrator (all), or none (what "
            "the configuration grants for single collections).")
        ->type_name("ROLE")
        ->required();
    add_->add_flag("--replace", options.replaces, "Change role and password of a user that is there.");
    add_->add_option(
            "--by", options.means,
            "password; negotiate: the user ann@EXAMPLE.ORG is authenticated by Kerberos, EXAMPLE\\ann by NTLM; "
            "certificate: by a certificate with that name; pam: with the password of this system's user.")
        ->type_name("MEANS")
        ->capture_default_str();
    remove_ = user_->add_subcommand("remove", "Remove a user.");
    remove_->add_option("NAME", options.user, "The user's name.")->required();
  }

  CLI::App& app() { return app_; }
  [[nodiscard]] bool adds_user() const { return user_->parsed() && add_->parsed(); }
  [[nodiscard]] bool removes_user() const { return user_->parsed() && remove_->parsed(); }

 private:
  CLI::App app_{"", "cohortd"};
  CLI::App* user_ = nullptr;
  CLI::App* add_ = nullptr;
  CLI::App* remove_ = nullptr;
};

int report(const Error& error, const Streams& streams) {
  streams.err << "cohortd: " << cli::printable(error.describe()) << "\n";
  return cli::exit_code(error.code);
}

Result<void> add_user(const Options& options, const Configuration& configuration, std::istream& in) {
  COHORT_ASSIGN(const http::Role role, role_from(options.role));
  const IfThere if_there = options.replaces ? IfThere::kReplace : IfThere::kRefuse;
  COHORT_ASSIGN(const http::Means means, means_from(options.means));
  if (means != http::Means::kPassword) {
    return add_user(configuration.passwords, options.user, role, means, if_there);
  }
  std::string password;
  std::getline(in, password);
  return add_user(configuration.passwords, options.user, role, password, if_there);
}

int end_with(const Result<void>& done, const Streams& streams) {
  return done ? cli::kExitDone : report(done.error(), streams);
}

int run_configured(const Arguments& arguments, const Options& options, const Streams& streams) {
  const auto configuration = read_configuration(options.configuration);
  if (!configuration) return report(configuration.error(), streams);
  if (options.checks) return cli::kExitDone;
  if (options.prints) {
    streams.out << to_text(*configuration);
    return cli::kExitDone;
  }
  if (arguments.adds_user()) return end_with(add_user(options, *configuration, streams.in), streams);
  if (arguments.removes_user()) return end_with(remove_user(configuration->passwords, options.user), streams);
  SystemLog log;
  return run_daemon(*configuration, log);
}

int run_unguarded(const std::vector<std::string>& given, const Streams& streams) {
  Options options;
  Arguments arguments(options);
  try {
    // CLI11 takes them from the end.
    arguments.app().parse(std::vector<std::string>(given.rbegin(), given.rend()));
  } catch (const CLI::CallForHelp&) {
    streams.out << arguments.app().help();
    return cli::kExitDone;
  } catch (const CLI::ParseError& error) {
    return report(make_error(ErrorCode::kInvalidArgument, "{} See cohortd --help.", error.what()), streams);
  }
  if (options.has_version) {
    streams.out << "cohortd " << COHORT_VERSION << "\n";
    return cli::kExitDone;
  }
  if (options.prints_example) {
    streams.out << example_configuration();
    return cli::kExitDone;
  }
  if (!options.manual.empty()) {
    streams.out << manual_page(options.manual);
    return cli::kExitDone;
  }
  if (!options.service.empty()) return answer_password_check(options.service, streams.in);
  return run_configured(arguments, options, streams);
}

}  // namespace

int run(const std::vector<std::string>& arguments, const Streams& streams) {
  try {
    return run_unguarded(arguments, streams);
  } catch (const std::exception& error) {
    streams.err << "cohortd: This is a defect of the program: " << error.what() << "\n";
    return cli::exit_code(ErrorCode::kInternal);
  }
}

}  // namespace cohort::daemon
