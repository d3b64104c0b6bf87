#include "daemon/manual.h"

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/manual/roff.h"
#include "daemon/configuration.h"
#include "daemon/log.h"

namespace cohort::daemon {
namespace {

using cli::roff_line;
using cli::roff_paragraphs;

std::string heading(std::string_view name, int section, std::string_view summary) {
  std::string upper(name);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return fmt::format(".TH {} {} \"\" \"cohort {}\" \"Cohort Manual\"\n.SH NAME\n{} \\- {}\n", roff_line(upper), section,
                     COHORT_VERSION, roff_line(name), roff_line(summary));
}

std::string section(std::string_view title, std::string_view text) { return fmt::format(".SH {}\n{}", title, text); }

std::string term(std::string_view name, std::string_view value, std::string_view text) {
  return fmt::format(".TP\n.B {}{}\n{}", roff_line(name),
                     value.empty() ? "" : fmt::format(" \\fI{}\\fP", roff_line(value)), roff_paragraphs(text));
}

std::string synopsis() {
  return section(
      "SYNOPSIS",
      ".B cohortd\n[\\-\\-config FILE]\n.br\n"
      ".B cohortd\n\\-\\-check\\-config | \\-\\-print\\-config | \\-\\-example\\-config\n[\\-\\-config FILE]\n.br\n"
      ".B cohortd user add\nNAME \\-\\-role ROLE [\\-\\-by MEANS] [\\-\\-replace] [\\-\\-config FILE]\n.br\n"
      ".B cohortd user remove\nNAME [\\-\\-config FILE]\n");
}

std::string options() {
  return section("OPTIONS",
                 term("--config", "FILE", fmt::format("The configuration file instead of {}.", kUsualConfiguration)) +
                     term("--check-config", "",
                          "Check the configuration file and end: with status 0, or with the line that is wrong.") +
                     term("--print-config", "", "Print all settings with the values that count, and end.") +
                     term("--example-config", "", "Print a configuration file that explains all settings, and end.") +
                     term("--help", "", "Say what there is, and end.") +
                     term("--version", "", "Print the version and end."));
}

std::string users() {
  return section(
      "USERS",
      roff_paragraphs("Each user has a role: a reader looks at machines, collections, snapshots and jobs; an "
                      "operator also takes, exports, converts and deletes snapshots and reference points, "
                      "starts and stops machines and cancels jobs; an administrator also applies snapshots, "
                      "defines and destroys collections, changes their members, and imports. A user with the "
                      "role none has what the setting \"grant\" of cohortd.conf(5) gives him for single "
                      "collections.") +
          term("user add", "NAME",
               "Add a user to the password file; the password is the first line of standard input, and is "
               "kept as a salted scrypt hash. --role says what the user may do. With --replace the role and "
               "the password of a user that is there are changed. With --by negotiate there is no password: the "
               "user is authenticated by Kerberos (ann@EXAMPLE.ORG) or NTLM (EXAMPLE\\ann); with --by certificate by a "
               "certificate that has the name, see client_authorities in cohortd.conf(5); with --by pam with the "
               "password of this system's user of that name, see pam there. The daemon knows it after SIGHUP.") +
          term("user remove", "NAME", "Remove a user."));
}

std::string signals() {
  return section("SIGNALS",
                 term("SIGTERM, SIGINT", "",
                      "End: nothing new is taken, what was asked is answered, and jobs that run are cancelled and "
                      "undone.") +
                     term("SIGHUP", "",
                          "Read the certificates, revocation lists, the password file and the rights for single "
                          "collections again."));
}

std::string sockets() {
  return section(
      "SOCKETS",
      roff_paragraphs(
          "The service manager may listen instead, and start the daemon when somebody comes: enable "
          "cohortd-http.socket, cohortd-https.socket and cohortd-command.socket, or those of them that are "
          "wanted, instead of cohortd.service. What a socket is for is said by its FileDescriptorName= (http, "
          "https, status or command); it takes the place of all addresses that cohortd.conf(5) has for that. "
          "With cohortd-command.socket the command cohort starts the daemon, too."));
}

std::string events() {
  std::string text = roff_paragraphs(
      "In the journal each message has a field COHORT_EVENT with one of these names, and fields such as COHORT_USER, "
      "COHORT_ADDRESS, COHORT_METHOD and COHORT_OBJECT. Without the journal they go to standard error.");
  for (const EventText& each : event_texts()) text += term(each.id, "", each.explanation);
  return section("EVENTS", text);
}

std::string exit_statuses() {
  std::string text = ".TP\n.B 0\nDone, or ended by a signal after all was in order.\n";
  for (const auto& row : cli::exit_codes())
    text += term(std::to_string(row.exit_code), "", fmt::format("{}.", row.meaning));
  return section("EXIT STATUS", text);
}

std::string files() {
  return section("FILES", term(kUsualConfiguration, "", "The configuration; see cohortd.conf(5).") +
                              term("/etc/cohort/passwords", "", "Users, roles and hashes.") +
                              term("/var/lib/cohort", "", "The state, and in tls/ the certificate that was made."));
}

std::string program_page() {
  return heading("cohortd", 8, "answers WS-Management and CIM-XML clients for the machines of this host") + synopsis() +
         section(
             "DESCRIPTION",
             roff_paragraphs(
                 "Serves the classes of Hyper-V's collection snapshot service (root/virtualization/v2) for QEMU/KVM "
                 "machines under libvirt: collections of machines, snapshots of them at one instant, their export, "
                 "and the jobs that do it.\n\nWS-Management is answered at /wsman, CIM-XML at /cimom, each at all "
                 "addresses that are configured. Every request has to be authenticated (Basic; "
                 "Negotiate and certificates where they are configured). /health and "
                 "/metrics have an address of their own, and need no authentication.\n\nIt stays in the foreground: "
                 "a service manager starts it.")) +
         options() + users() + sockets() + signals() + events() + exit_statuses() + files() +
         section("SEE ALSO", ".BR cohort (1),\n.BR cohortd.conf (5)\n");
}

std::string configuration_page() {
  std::string text =
      heading("cohortd.conf", 5, "configuration of cohortd") +
      section("DESCRIPTION",
              roff_paragraphs("Lines \"key = value\" below headings \"[section]\". Lines that are empty or "
                              "begin with # or ; do not count. A key that does not exist, or a value that does "
                              "not fit, keeps the daemon from starting; cohortd --check-config names the "
                              "line."));
  std::string_view part;
  for (const Setting& each : settings()) {
    if (each.section != part) text += fmt::format(".SH [{}]\n", roff_line(part = each.section));
    text += term(each.key, each.usual.empty() ? "" : fmt::format("= {}", each.usual), each.help);
  }
  return text + section("SEE ALSO", ".BR cohortd (8)\n");
}

}  // namespace

std::string manual_page(std::string_view name) {
  if (name == "cohortd") return program_page();
  if (name == "cohortd.conf") return configuration_page();
  return {};
}

}  // namespace cohort::daemon
