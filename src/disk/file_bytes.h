// Reading at a place of an open file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace cohort::disk {

// Opens for reading and does not wait for the other end of a pipe.
[[nodiscard]] Result<UniqueFd> open_image(const Path& path);

// The bytes from `offset` on; fewer than `length` where the file ends. `name` is what the errors call the file.
[[nodiscard]] Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t length, const std::string& name);
// The same into memory that is there; the number of bytes read.
[[nodiscard]] Result<std::size_t> read_into(int fd, std::uint64_t offset, std::span<std::byte> into,
                                            const std::string& name);
// The length of a file or block device.
[[nodiscard]] Result<std::uint64_t> length_of(int fd, const std::string& name);

}  // namespace cohort::disk
