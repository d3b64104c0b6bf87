#include "cli/command_tree.h"

#include <utility>

#include "cli/help.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

Manual program_manual() {
  return {
      .name = "",
      .summary = "one snapshot of several virtual machines at one instant",
      .description =
          "Cohort takes one snapshot of several virtual machines at one instant, and exports it to a directory that "
          "can be verified, imported and booted elsewhere. It drives QEMU through libvirt.\n\n"
          "The machines that belong together are named once, as a collection. A snapshot makes all of them stand "
          "still together for some milliseconds, the fence, and gives every disk an overlay; what the disks held at "
          "the instant stays frozen below it. The pause of every machine is measured from QEMU's own events, and "
          "their overlap proves the one instant. An export copies the frozen disks and the machines' configuration "
          "to a package. Deleting a snapshot merges its overlays back.\n\n"
          "Collections, snapshots and jobs are named by name, by UUID, or by the first characters (4 or more) of the "
          "UUID; machines by name or UUID. Names that begin with a dash follow after \"--\".",
      .examples = {{"cohort collection create shop db queue web", "Three machines become the collection \"shop\"."},
                   {"cohort backup shop /backup/shop-monday",
                    "A snapshot and its export, from the second time on of what has changed."},
                   {"cohort verify /backup/shop-monday", "Reads all of the package again and compares."},
                   {"cohort try /backup/shop-monday --wait-for-agent",
                    "Boots the machines try-db, try-queue and try-web straight from it, and removes them again."},
                   {"cohort import /backup/shop-monday --name-prefix copy- --start",
                    "Makes the machines copy-db, copy-queue and copy-web of it, beside the originals."}},
  };
}

Manual noun_manual(std::string name, std::string summary, std::string description) {
  return {
      .name = std::move(name), .summary = std::move(summary), .description = std::move(description), .examples = {}};
}

}  // namespace

CommandTree::CommandTree() : root_(program_manual().summary, "cohort") {
  manuals_[&root_] = program_manual();
  root_.formatter(std::make_shared<HelpFormatter>());
  root_.footer(help_footer(program_manual()));
  root_.require_subcommand(1);
  declare_global_options();
  add_collection_verbs();
  add_snapshot_verbs();
  add_reference_verbs();
  add_package_verbs();
  add_job_verbs();
  add_host_verbs();
  add_verb(root_, make_completion(*this));
  add_verb(root_, make_complete());
  add_verb(root_, make_help(*this));
}

void CommandTree::declare_global_options() {
  root_.set_help_flag("-h,--help", "Print this help.");
  root_.set_version_flag("--version", COHORT_VERSION, "Print the version.");
  Arguments arguments(root_);
  arguments.option("--state", options_.state, "DIR",
                   "Folder of the state; default: /var/lib/cohort for root, else $XDG_STATE_HOME/cohort or "
                   "~/.local/state/cohort.");
  arguments.option("-c,--connect", options_.connect, "URI", "The hypervisor, as in virsh; default: qemu:///system.");
  arguments.flag("--json", options_.json, "Print one JSON document instead of text.");
  arguments.flag("-q,--quiet", options_.quiet, "No progress, and no word on what went well.");
  arguments.flag("-v,--verbose", options_.verbose, "More detail: full ids, files, the context of errors.");
}

CLI::App& CommandTree::add_noun(const Manual& manual) {
  CLI::App* noun = root_.add_subcommand(manual.name, manual.summary);
  noun->require_subcommand(1)->fallthrough()->group("Commands");
  noun->footer(help_footer(manual));
  manuals_[noun] = manual;
  return *noun;
}

void CommandTree::add_verb(CLI::App& parent, std::unique_ptr<Verb> verb) {
  const Manual manual = verb->manual();
  CLI::App* app = parent.add_subcommand(manual.name, manual.summary);
  app->fallthrough()->footer(help_footer(manual))->group(manual.is_hidden ? "" : "Commands");
  Arguments arguments(*app);
  verb->declare(arguments);
  manuals_[app] = manual;
  verbs_[app] = std::move(verb);
}

void CommandTree::add_collection_verbs() {
  CLI::App& noun = add_noun(noun_manual(
      "collection", "name the machines that belong together",
      "A collection is a named set of machines that are snapshotted together, or, with --of-collections, a set of "
      "collections. A machine can be in several collections; one that is reached through several nested ones is "
      "taken once. A machine that no longer exists stays in its collection as \"missing\" until it is removed."));
  add_verb(noun, make_collection_create());
  add_verb(noun, make_collection_list());
  add_verb(noun, make_collection_show());
  add_verb(noun, make_collection_rename());
  add_verb(noun, make_collection_delete());
  add_verb(noun, make_collection_add());
  add_verb(noun, make_collection_remove());
}

void CommandTree::add_snapshot_verbs() {
  CLI::App& noun = add_noun(noun_manual(
      "snapshot", "take, look at, apply and delete snapshots",
      "A snapshot holds the disks of all machines of a collection at one instant, crash consistent: as after a power "
      "failure of all of them at once. It lives in the machines' own disk files: each disk's file is frozen, and an "
      "overlay beside it takes what the machine writes from then on. Snapshots grow as machines write; delete them "
      "when they have been exported. A standard snapshot also holds the machines' memory and definitions, and the "
      "machines can be taken back to it."));
  add_verb(noun, make_snapshot_take());
  add_verb(noun, make_snapshot_list());
  add_verb(noun, make_snapshot_show());
  add_verb(noun, make_snapshot_apply());
  add_verb(noun, make_snapshot_delete());
}

void CommandTree::add_reference_verbs() {
  CLI::App& noun = add_noun(noun_manual(
      "reference", "keep reference points, from which changes are exported",
      "A reference point is what remains of a snapshot that is none any more: its frozen files stay, so that what a "
      "disk "
      "has changed since can be told exactly, whatever became of its machine meanwhile: killed, off, started again. A "
      "collection can have several, one for each place that its backups go to; none depends on another. A reference "
      "point costs what a snapshot costs: an overlay for each disk, which grows as the machine writes. Delete the old "
      "one when the next package is complete."));
  add_verb(noun, make_reference_create());
  add_verb(noun, make_reference_convert());
  add_verb(noun, make_reference_list());
  add_verb(noun, make_reference_show());
  add_verb(noun, make_reference_export());
  add_verb(noun, make_reference_delete());
}

void CommandTree::add_package_verbs() {
  add_verb(root_, make_export());
  add_verb(root_, make_verify());
  add_verb(root_, make_import());
  add_verb(root_, make_try());
  add_verb(root_, make_backup());
  CLI::App& noun = add_noun(noun_manual(
      "package", "look at packages in a folder, merge and prune them",
      "A package is a folder that `cohort export` or `cohort backup` has made. One with only what has changed since "
      "another one is a difference: it stands on that package, which has to stay where it is as seen from it, and may "
      "be a difference too."));
  add_verb(noun, make_package_list());
  add_verb(noun, make_package_show());
  add_verb(noun, make_package_merge());
  add_verb(noun, make_package_prune());
}

void CommandTree::add_job_verbs() {
  CLI::App& noun = add_noun(noun_manual(
      "job", "look at, wait for and cancel long operations",
      "Every long operation is a job, kept with its progress and its end. It runs in the process that asked for it; "
      "another process can follow and cancel it."));
  add_verb(noun, make_job_list());
  add_verb(noun, make_job_show());
  add_verb(noun, make_job_wait());
  add_verb(noun, make_job_cancel());
}

void CommandTree::add_host_verbs() {
  add_verb(add_noun(noun_manual("vm", "look at the machines of the hypervisor",
                                "The machines that the hypervisor knows, whether in a collection or not.")),
           make_vm_list());
  CLI::App& host = add_noun(noun_manual("host", "find out what works on this host, and what is amiss",
                                        "Says whether this host has what Cohort needs, and what was left behind."));
  add_verb(host, make_host_check());
  add_verb(host, make_host_doctor());
}

const CLI::App& CommandTree::chosen() const {
  const CLI::App* app = &root_;
  while (!app->get_subcommands().empty()) {
    app = app->get_subcommands().front();
  }
  return *app;
}

Verb* CommandTree::chosen_verb() const {
  const auto verb = verbs_.find(&chosen());
  return verb == verbs_.end() ? nullptr : verb->second.get();
}

std::vector<const CLI::App*> CommandTree::children(const CLI::App& app) const {
  return app.get_subcommands([this](const CLI::App* child) { return !manual(*child).is_hidden; });
}

std::string command_path(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : command_path(*parent) + " " + app.get_name();
}

}  // namespace cohort::cli
