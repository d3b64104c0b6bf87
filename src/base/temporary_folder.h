// A folder that is gone with its object; for tests and short-lived files.
#pragma once

#include <cstdlib>
#include <string>

#include "base/file.h"

namespace cohort {

class TemporaryFolder {
 public:
  TemporaryFolder() : TemporaryFolder(std::filesystem::temp_directory_path() / "cohort-test-") {}
  // `begin` is the first part of its name. Its path is empty if it cannot be made: errno says why.
  explicit TemporaryFolder(const Path& begin) {
    std::string name = begin.native() + "XXXXXX";
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const Path& path() const { return path_; }

 private:
  Path path_;
};

}  // namespace cohort
