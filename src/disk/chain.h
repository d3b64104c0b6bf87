// A disk as its files: the top image and the backing files it stands on.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "disk/qcow2_header.h"

namespace cohort::disk {

struct ChainLayer {
  Path path;           // absolute
  std::string format;  // QEMU's name
  bool is_block_device = false;
  std::optional<Qcow2Header> header;  // of qcow2; none if it has features that are not known here
};

struct Chain {
  std::vector<ChainLayer> layers;  // the top first
  // The lowest layer names something that is not a plain file (nbd://…, json:…) as its backing file: QEMU follows that
  // name by itself, as it does below an image whose header is not known here.
  bool goes_on = false;
};

// Opens and checks the head of every layer; ends at one whose head is not known here. A backing file without a format
// is taken for qcow2 or raw by its first bytes, as libvirt does; never for one that names further files: a guest may do
// so. Fails with kNotFound or kPermission naming the layer, kUnsupported for an encrypted one, kCorrupt for one that is
// damaged or cut off, kInvalidState for a data file named without its folder, kCancelled.
[[nodiscard]] Result<Chain> read_chain(const Path& top, const std::string& format, const std::stop_token& stop = {});

// Images of which each stands on the next, whatever their heads name: file and format, the top first.
using ListedImages = std::vector<std::pair<Path, std::string>>;
// As read_chain, but only the files that are listed are opened, and all heads are known. kCorrupt for an image that
// keeps its data in another file, which would be opened by the name that it says.
// REQUIRES: there is one.
[[nodiscard]] Result<Chain> listed_chain(const ListedImages& images, const std::stop_token& stop);

// The chain as an argument for qemu-img's --image-opts. Each layer is named with its format, so that nothing is guessed
// and no character of a file name has a meaning.
[[nodiscard]] std::string image_options(const Chain& chain);

// A name such as nbd://…, json:… or fat:…: QEMU looks for a colon before the first slash.
[[nodiscard]] bool has_protocol(std::string_view name);

// An absolute path: QEMU takes no part of such a name for a protocol.
[[nodiscard]] Path absolute_path(const Path& path);

}  // namespace cohort::disk
