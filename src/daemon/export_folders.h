// The folders that the configuration gives for exports.
#pragma once

#include <vector>

#include "base/unique_fd.h"
#include "provider/export_roots.h"

namespace cohort::daemon {

// What a client names is walked from its root on, part by part, without following links. That nobody puts a link there
// between this look and the export, each folder on the way has to belong to root or to this program's user, and must
// not be writable by others.
class ExportFolders final : public provider::ExportRoots {
 public:
  // A root itself may be reached through links; it is what lies there now. Fails with kNotFound, or kPermission if it
  // can be written by others.
  [[nodiscard]] static Result<ExportFolders> open(const std::vector<Path>& roots);

  // A root itself is allowed. `directory` may not exist yet, and neither may the last parts of it. kPermission, too, if
  // there are no roots.
  [[nodiscard]] Result<Path> allowed(const std::string& directory) const override;

 private:
  struct Root {
    Path given;  // as the configuration has it
    Path real;   // where it lies
    UniqueFd folder;
  };

  [[nodiscard]] Result<Path> below(const Root& root, const Path& rest) const;

  std::vector<Root> roots_;
};

}  // namespace cohort::daemon
