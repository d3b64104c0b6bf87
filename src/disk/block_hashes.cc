#include "disk/block_hashes.h"

#include <charconv>

#include "disk/block_map.h"
#include "disk/file_bytes.h"

namespace cohort::disk {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;
constexpr std::size_t kMaxLine = 96;  // 20 digits, a space, 64 digits
constexpr std::size_t kHashDigits = 64;

// The one way to write it: no sign, no zeros before it.
std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  if (!is_whole || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return number;
}

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Result<BlockHashReader> BlockHashReader::open(const BlockHashList& list, std::uint64_t virtual_size) {
  COHORT_ASSIGN(UniqueFd fd, open_image(list.file));
  BlockHashReader reader(list, std::move(fd), virtual_size);
  COHORT_ASSIGN(const auto head, reader.next_line());
  if (!head || number_of(*head) != virtual_size) return reader.damaged("is not of a disk of this size");
  return reader;
}

Result<std::optional<BlockHash>> BlockHashReader::next() {
  COHORT_ASSIGN(const auto line, next_line());
  if (!line) {
    if (hash_.finish() != list_.content_hash) return damaged("is not of the hash that it should have");
    return std::optional<BlockHash>();
  }
  const std::size_t space = line->find(' ');
  if (space == std::string_view::npos) return damaged("has a line that is none");
  const auto offset = number_of(line->substr(0, space));
  const bool is_place = offset && *offset % kBlockBytes == 0 && *offset >= expected_ && *offset < virtual_size_;
  if (!is_place || !is_hash(line->substr(space + 1))) return damaged("has a line that is none");
  expected_ = *offset + kBlockBytes;
  return BlockHash{*offset, std::string(line->substr(space + 1))};
}

Result<std::optional<std::string_view>> BlockHashReader::next_line() {
  std::size_t end = piece_.find('\n', place_);
  if (end == std::string::npos) {
    piece_.erase(0, place_);
    place_ = 0;
    COHORT_ASSIGN(const std::string more, read_at(fd_.get(), read_, kPieceBytes, list_.file.string()));
    read_ += more.size();
    hash_.update(more);
    piece_ += more;
    if (piece_.empty()) return std::optional<std::string_view>();
    end = piece_.find('\n');
  }
  if (end == std::string::npos || end - place_ > kMaxLine) return damaged("has a line that is none");
  const std::string_view line = std::string_view(piece_).substr(place_, end - place_);
  place_ = end + 1;
  return std::optional(line);
}

Failure BlockHashReader::damaged(std::string_view what) const {
  return fail(ErrorCode::kCorrupt, "The list of block hashes \"{}\" {}.", list_.file.string(), what);
}

}  // namespace cohort::disk
