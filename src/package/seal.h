// Gives the images of a package the hashes that it was exported without.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "package/manifest.h"

namespace cohort::package {

// Reads each image that has none, makes its list of block hashes, and writes all of it into the manifest, with the
// time. The hashes are those of what is there now. What other files have is not compared: `verified` is the manifest by
// which verify() has done that, and has to be the package's still (kCorrupt). Nothing is done if it is sealed.
//
// The package may come from a stranger, as for verify(). `on_read` gets the bytes read since its last call, from
// another thread. Fails as open_entry and disk::hash_image; kCorrupt if something would take the name of another file
// of the package; kInUse if another process seals it; kCancelled. After a failure undo_seal() makes the package what it
// was; a failure after the manifest was replaced leaves a sealed one. Crash: the manifest is replaced last. Before
// that, SHA256SUMS may be that of the later manifest, and lists may be there that nothing names: undo_seal() takes them
// away.
[[nodiscard]] Result<Manifest> seal(const Path& package, const Manifest& verified, WallTime now,
                                    const std::stop_token& stop,
                                    const std::function<void(std::uint64_t bytes)>& on_read);

// After a seal that was cut off: the package is as it was. Nothing is done to one that is sealed, or that has nothing
// of a seal. Whether anything had to be done; kNotFound if there is no package.
[[nodiscard]] Result<bool> undo_seal(const Path& package);

}  // namespace cohort::package
