// One function per verb; each is in the file of its name.
#pragma once

#include <memory>

#include "cli/verb.h"

namespace cohort::cli {

class CommandTree;

[[nodiscard]] std::unique_ptr<Verb> make_collection_create();
[[nodiscard]] std::unique_ptr<Verb> make_collection_list();
[[nodiscard]] std::unique_ptr<Verb> make_collection_show();
[[nodiscard]] std::unique_ptr<Verb> make_collection_rename();
[[nodiscard]] std::unique_ptr<Verb> make_collection_delete();
[[nodiscard]] std::unique_ptr<Verb> make_collection_add();
[[nodiscard]] std::unique_ptr<Verb> make_collection_remove();

[[nodiscard]] std::unique_ptr<Verb> make_snapshot_take();
[[nodiscard]] std::unique_ptr<Verb> make_snapshot_list();
[[nodiscard]] std::unique_ptr<Verb> make_snapshot_show();
[[nodiscard]] std::unique_ptr<Verb> make_snapshot_apply();
[[nodiscard]] std::unique_ptr<Verb> make_snapshot_delete();

[[nodiscard]] std::unique_ptr<Verb> make_reference_create();
[[nodiscard]] std::unique_ptr<Verb> make_reference_convert();
[[nodiscard]] std::unique_ptr<Verb> make_reference_list();
[[nodiscard]] std::unique_ptr<Verb> make_reference_show();
[[nodiscard]] std::unique_ptr<Verb> make_reference_export();
[[nodiscard]] std::unique_ptr<Verb> make_reference_delete();

[[nodiscard]] std::unique_ptr<Verb> make_export();
[[nodiscard]] std::unique_ptr<Verb> make_verify();
[[nodiscard]] std::unique_ptr<Verb> make_import();
[[nodiscard]] std::unique_ptr<Verb> make_try();
[[nodiscard]] std::unique_ptr<Verb> make_backup();

[[nodiscard]] std::unique_ptr<Verb> make_package_list();
[[nodiscard]] std::unique_ptr<Verb> make_package_show();
[[nodiscard]] std::unique_ptr<Verb> make_package_merge();
[[nodiscard]] std::unique_ptr<Verb> make_package_prune();

[[nodiscard]] std::unique_ptr<Verb> make_job_list();
[[nodiscard]] std::unique_ptr<Verb> make_job_show();
[[nodiscard]] std::unique_ptr<Verb> make_job_wait();
[[nodiscard]] std::unique_ptr<Verb> make_job_cancel();

[[nodiscard]] std::unique_ptr<Verb> make_vm_list();
[[nodiscard]] std::unique_ptr<Verb> make_host_check();
[[nodiscard]] std::unique_ptr<Verb> make_host_doctor();

// The tree must outlive these; they read it when they run.
[[nodiscard]] std::unique_ptr<Verb> make_completion(const CommandTree& tree);
[[nodiscard]] std::unique_ptr<Verb> make_help(const CommandTree& tree);
// Names for the shell's completion; hidden.
[[nodiscard]] std::unique_ptr<Verb> make_complete();

}  // namespace cohort::cli
