// A new file that is written from its start to its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "disk/new_file.h"

namespace cohort::disk {

// In large pieces, whatever it is given. One thread at a time. Gone again unless keep() is called.
class AppendFile {
 public:
  // kAlreadyExists, kNoSpace, …
  [[nodiscard]] static Result<AppendFile> create(const Path& path);

  // Of all that was appended.
  [[nodiscard]] std::uint64_t size() const { return written_ + pending_.size(); }
  [[nodiscard]] Result<void> append(std::span<const std::byte> bytes);
  // Appends zeros up to a multiple of `unit`.
  [[nodiscard]] Result<void> align(std::uint64_t unit);
  // Puts other bytes where some were appended. All that was appended is in the file then.
  [[nodiscard]] Result<void> put(std::uint64_t offset, std::span<const std::byte> bytes);

  // What is in the file is on the storage when it returns. REQUIRES: put() was called after the last append.
  [[nodiscard]] Result<void> sync() const;

  [[nodiscard]] const Path& path() const { return file_.path(); }
  void keep() { file_.keep(); }

 private:
  explicit AppendFile(NewFile file) : file_(std::move(file)) {}
  [[nodiscard]] Result<void> flush();
  [[nodiscard]] Result<void> write_all(std::uint64_t offset, std::span<const std::byte> bytes);

  NewFile file_;
  std::uint64_t written_ = 0;
  std::vector<std::byte> pending_;
};

}  // namespace cohort::disk
