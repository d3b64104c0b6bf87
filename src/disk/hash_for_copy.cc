#include "disk/hash_for_copy.h"

#include <utility>

namespace cohort::disk {
namespace {

Result<std::optional<ContentHash>> optional_hash(Result<ContentHash> hash) {
  return std::move(hash).map([](ContentHash&& begun) { return std::optional(std::move(begun)); });
}

}  // namespace

Result<std::optional<ContentHash>> hash_for_copy(const CopyRequest& request) {
  if (!request.wants_content_hash) return std::optional<ContentHash>();
  return optional_hash(ContentHash::of_all(request.source.virtual_size(), request.block_hashes));
}

Result<std::optional<ContentHash>> hash_for_copy(const CopyRequest& request, const Difference& difference,
                                                 const DifferenceMap& map) {
  if (!request.wants_content_hash) return std::optional<ContentHash>();
  return optional_hash(ContentHash::of_changed(request.source.virtual_size(), request.block_hashes,
                                               difference.parent_hashes.value(), map.cleared));
}

}  // namespace cohort::disk
