// Where clients may have packages written.
#pragma once

#include <string>

#include "base/file.h"
#include "base/result.h"

namespace cohort::provider {

// Threads: safe to call from several at once.
class ExportRoots {
 public:
  virtual ~ExportRoots() = default;

  // The folder that a client names, if it lies below one of the folders that are meant for exports, and no link leads
  // out of it. kInvalidArgument (no absolute path, "..", a NUL, too long), kPermission (it lies elsewhere).
  [[nodiscard]] virtual Result<Path> allowed(const std::string& directory) const = 0;
};

}  // namespace cohort::provider
