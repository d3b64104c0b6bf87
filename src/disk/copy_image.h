// Copying an image with all its backing files into a file, in the fastest way there is for it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "disk/chain.h"
#include "disk/copy.h"

namespace cohort::disk {

// What a copy is to be the difference from.
struct ImageBase {
  Path frozen;           // the image of the source's chain that was the top one then; nobody has written to it since
  Parent parent;         // the exported image of that state, as large as the source
  BlockHashList hashes;  // of that one
};

struct CopyImageRequest {
  Path source;                // with all its backing files; frozen: nobody writes to them
  std::string source_format;  // "qcow2", "raw", …
  Path target;                // must not exist; made with mode 0600
  std::string target_format;  // "qcow2" or "raw"
  CopyResources resources;
  bool is_compressed = false;  // see copy_compressed
  bool is_hashed = true;       // else copy_unhashed; REQUIRES then: neither compressed, nor with block hashes or a base
  Path block_hashes = {};      // the list of the target's block hashes; empty: none is made
  std::optional<ImageBase> base = {};
};

// copy_disk, with a content hash, copy_unhashed or copy_compressed, under an ImageLock. What cannot be read without
// QEMU goes through copy_image_through_qemu.
//
// `on_progress` gets the bytes done of measure_copy's answer, never fewer than before. After a failure or cancel the
// target is gone. Fails like copy_disk and read_chain; kInUse, naming the file, if a program writes to a layer through
// QEMU; none can begin to while the copy runs. With a base: a difference (copy_difference), and as measure_difference.
[[nodiscard]] Result<CopiedImage> copy_image(const CopyImageRequest& request, const std::stop_token& stop,
                                             const std::function<void(std::uint64_t done)>& on_progress);

// The same for any format that QEMU knows (see open_disk_through_qemu).
[[nodiscard]] Result<CopiedImage> copy_image_through_qemu(const CopyImageRequest& request, const std::stop_token& stop,
                                                          const std::function<void(std::uint64_t done)>& on_progress);

// Bytes that copy_image's target would take on its storage, at most. Holes are not counted, areas that are full of
// zeros are. A layer that a machine writes to is measured all the same: the answer is of that moment.
[[nodiscard]] Result<std::uint64_t> measure_copy(const Path& source, const std::string& source_format,
                                                 const std::string& target_format, const std::stop_token& stop = {});
// The same for the difference from a base. kUnsupported if it cannot be told what has changed: the base is none of the
// source's images, is of another size, or the source cannot be read without QEMU. The message says why.
[[nodiscard]] Result<std::uint64_t> measure_difference(const Path& source, const std::string& source_format,
                                                       const ImageBase& base, const std::stop_token& stop = {});

// Of images that say nothing of their chain that counts: those of a package.
struct CopyListedRequest {
  ListedImages source;
  Path target;                // must not exist
  std::string target_format;  // "qcow2" or "raw"
  CopyResources resources;
};
// One image that stands alone, with its content hash. No file is opened but those of the list. kCorrupt, kUnsupported
// for one that cannot be a part of a chain; as copy_disk.
[[nodiscard]] Result<CopiedImage> copy_listed(const CopyListedRequest& request, const std::stop_token& stop,
                                              const std::function<void(std::uint64_t done)>& on_progress);
[[nodiscard]] Result<std::uint64_t> measure_listed(const ListedImages& source, const std::string& target_format,
                                                   const std::stop_token& stop = {});

}  // namespace cohort::disk
