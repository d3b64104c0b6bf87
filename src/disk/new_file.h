// A file that is being made, and is gone again unless it was finished.
#pragma once

#include "base/file.h"
#include "base/result.h"

namespace cohort::disk {

class NewFile {
 public:
  // Opens it for reading and writing with mode 0600. kAlreadyExists: it is left as it is.
  [[nodiscard]] static Result<NewFile> create(const Path& path);

  NewFile(NewFile&&) noexcept = default;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  [[nodiscard]] int descriptor() const { return fd_.get(); }
  [[nodiscard]] const Path& path() const { return path_; }
  void keep() { fd_.reset(); }

 private:
  NewFile(Path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  Path path_;
  UniqueFd fd_;  // closed once the file is to be kept
};

}  // namespace cohort::disk
