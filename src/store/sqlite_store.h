// The state in one SQLite file.
#pragma once

#include <memory>

#include "service/ports/state_store.h"

namespace cohort::store {

enum class Access {
  kRead,   // no lock; sees what the writing process has committed. request_cancel works.
  kWrite,  // exclusive between processes, by a lock file in the state folder
};

// Opens "<state>/cohort.db" (folder made with mode 0711, file 0600 when writing; so that QEMU can pass through).
// Fails with kInUse naming the pid that writes ("The state in … is in use by process 123 (cohort backup …)."),
// kUnsupported if the file was written by a newer version, kCorrupt (with the remedy) if it is damaged: it is never
// made anew by itself. When reading and there is no state yet, an empty one is read and nothing is made. `uri` is
// remembered when the file is made; another one later is kInvalidArgument naming both.
//
// Of the jobs that have ended, the newest thousand are kept, and those that ended less than five minutes ago.
[[nodiscard]] Result<std::unique_ptr<service::StateStore>> open_sqlite_store(const Path& state, Access access,
                                                                             const std::string& uri);

}  // namespace cohort::store
