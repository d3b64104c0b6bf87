#include "disk/content_hash.h"

#include <limits>
#include <span>
#include <utility>

#include "disk/memory_bytes.h"

namespace cohort::disk {

Result<ContentHash> ContentHash::begin(std::uint64_t virtual_size, const Path& list) {
  ContentHash hash;
  if (!list.empty()) {
    COHORT_ASSIGN(AppendFile file, AppendFile::create(list));
    hash.list_ = std::make_unique<AppendFile>(std::move(file));
  }
  COHORT_TRY(hash.put(fmt::format("{}\n", virtual_size)));
  return hash;
}

Result<ContentHash> ContentHash::of_all(std::uint64_t virtual_size, const Path& list) {
  return begin(virtual_size, list);
}

Result<ContentHash> ContentHash::of_changed(std::uint64_t virtual_size, const Path& list, const BlockHashList& parent,
                                            const BlockMap& cleared) {
  COHORT_ASSIGN(BlockHashReader lines, BlockHashReader::open(parent, virtual_size));
  COHORT_ASSIGN(ContentHash hash, begin(virtual_size, list));
  hash.unchanged_ = std::make_unique<Unchanged>(Unchanged{std::move(lines), {}, BlockWalk(cleared), {}});
  COHORT_ASSIGN(hash.unchanged_->next, hash.unchanged_->lines.next());
  hash.unchanged_->next_cleared = hash.unchanged_->cleared.next();
  return hash;
}

Result<void> ContentHash::add(std::uint64_t offset, const std::string& sha256) {
  if (unchanged_) COHORT_TRY(put_unchanged(offset));
  return sha256.empty() ? Result<void>() : put(BlockHash{offset, sha256});
}

Result<HashedContent> ContentHash::finish() {
  if (unchanged_) COHORT_TRY(put_unchanged(std::numeric_limits<std::uint64_t>::max()));
  if (list_) {
    COHORT_TRY(list_->put(0, {}));
    COHORT_TRY(list_->sync());
  }
  return HashedContent{lines_.finish(), bytes_};
}

void ContentHash::keep() {
  if (list_) list_->keep();
}

Result<void> ContentHash::put(std::string_view line) {
  lines_.update(line);
  bytes_ += line.size();
  return list_ ? list_->append(std::as_bytes(std::span(line))) : Result<void>();
}

Result<void> ContentHash::put(const BlockHash& block) {
  return put(fmt::format("{} {}\n", block.offset, block.sha256));
}

Result<void> ContentHash::put_unchanged(std::uint64_t offset) {
  std::optional<BlockHash>& next = unchanged_->next;
  while (next && next->offset <= offset) {
    if (next->offset < offset && !is_cleared(next->offset)) COHORT_TRY(put(*next));
    COHORT_ASSIGN(next, unchanged_->lines.next());
  }
  return {};
}

bool ContentHash::is_cleared(std::uint64_t offset) {
  std::optional<std::uint64_t>& cleared = unchanged_->next_cleared;
  while (cleared && *cleared * kBlockBytes < offset) cleared = unchanged_->cleared.next();
  return cleared && *cleared * kBlockBytes == offset;
}

std::string digest_of_block(std::span<const std::byte> block) {
  return is_zero(block) ? std::string() : Sha256::of(text_of(block));
}

}  // namespace cohort::disk
