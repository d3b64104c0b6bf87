// Disk images by their files: what they say of themselves, and copying through qemu-img.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace cohort::disk {

// The head of a qcow2 file (QEMU's docs/interop/qcow2.txt), versions 2 and 3.
struct Qcow2Header {
  std::uint32_t version = 0;
  std::uint32_t cluster_bits = 0;
  std::uint64_t virtual_size = 0;  // bytes
  std::uint32_t internal_snapshots = 0;
  bool is_encrypted = false;
  bool has_data_file = false;  // an external data file, by feature bit or extension
  std::optional<std::string> backing_file;
};
// Fails with kCorrupt, naming what is wrong; never reads outside `bytes`. A few KiB from the start suffice
// (the backing file's name lies within the first cluster, at most 2 MiB).
[[nodiscard]] Result<Qcow2Header> parse_qcow2_header(std::string_view bytes);
[[nodiscard]] Result<Qcow2Header> read_qcow2_header(const Path& image);

struct ConvertRequest {
  Path source;                   // with all its backing files; frozen: nobody writes to them
  std::string source_format;     // "qcow2", "raw", …
  Path target;                   // must not exist; made with mode 0600
  std::string target_format;     // "qcow2" or "raw"
  std::uint64_t rate_limit = 0;  // bytes per second; 0: none
};
struct ConvertedImage {
  std::uint64_t virtual_size = 0;
  std::uint64_t file_size = 0;
  std::string sha256;  // of the target
};

// Bytes that the target would take on its storage, at most (qemu-img measure).
[[nodiscard]] Result<std::uint64_t> measure_image(const Path& source, const std::string& source_format,
                                                  const std::string& target_format);
// A standalone copy, zero areas as holes, hashed and synced. After a failure or cancel the target is gone.
// Peak memory does not depend on the size. `on_fraction` gets 0.0 to 1.0.
[[nodiscard]] Result<ConvertedImage> convert_image(const ConvertRequest& request, std::stop_token stop,
                                                   const std::function<void(double)>& on_fraction);
// qemu-img check; kCorrupt with its words. Leaks are errors too. Only qcow2 has anything to check.
[[nodiscard]] Result<void> check_image(const Path& image, const std::string& format, std::stop_token stop);

}  // namespace cohort::disk
