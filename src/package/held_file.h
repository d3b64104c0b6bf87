// A disk image of a package that is held open while machines stand on it.
#pragma once

#include <sys/stat.h>

#include <string>

#include "package/package_folder.h"
#include "package/verify_file.h"

namespace cohort::package {

class HeldFile {
 public:
  // Fails as open_entry() does.
  [[nodiscard]] static Result<HeldFile> open(const PackageFolder& folder, const DiskEntry& disk);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::string& name() const { return name_; }  // in the package

  // kCorrupt, naming the file, if its size or the time of its content is another than when it was opened, or if its
  // name means another file by now. kInUse if only the time of the inode's last change differs, which nobody can set:
  // it got another owner, mode or link, or somebody wrote and set the time of the content back. The content is not read
  // again: what somebody writes through a mapping that he made earlier shows in these times only once it is written
  // back, and is not noticed before.
  [[nodiscard]] Result<void> check_unchanged(const PackageFolder& folder) const;

 private:
  HeldFile(std::string name, UniqueFd fd, const struct stat& opened)
      : name_(std::move(name)), fd_(std::move(fd)), opened_(opened) {}

  std::string name_;  // in the package
  UniqueFd fd_;
  struct stat opened_;
};

}  // namespace cohort::package
