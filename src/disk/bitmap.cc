#include "disk/bitmap.h"

#include <algorithm>

#include "disk/bitmap_cursor.h"
#include "disk/bitmap_directory.h"
#include "disk/image_file.h"

namespace cohort::disk {
namespace {

Failure unusable(const Bitmap& bitmap, const std::string& file) {
  switch (bitmap.state) {
    case BitmapState::kInUse:
      return fail(ErrorCode::kInvalidState,
                  "The bitmap \"{}\" of \"{}\" was not closed: the machine's last writes are not in it.", bitmap.name,
                  file);
    case BitmapState::kStale:
      return fail(ErrorCode::kInvalidState,
                  "The bitmap \"{}\" of \"{}\" is out of date: a program without bitmaps has written to the image.",
                  bitmap.name, file);
    default:
      return fail(ErrorCode::kUnsupported, "The bitmap \"{}\" of \"{}\" has properties that are not known.",
                  bitmap.name, file);
  }
}

const Bitmap* find(const std::vector<Bitmap>& bitmaps, std::string_view name) {
  const auto found = std::ranges::find(bitmaps, name, &Bitmap::name);
  return found == bitmaps.end() ? nullptr : &*found;
}

Failure not_found(std::string_view name, const Path& path) {
  return fail(ErrorCode::kNotFound, "\"{}\" has no bitmap \"{}\".", path.string(), name);
}

Result<bool> has_bitmap(const ChainLayer& image, std::string_view name) {
  COHORT_ASSIGN(const auto bitmaps, list_bitmaps(image));
  return find(bitmaps, name) != nullptr;
}

// How many images from the top on have the bitmap.
Result<std::size_t> images_with(const Chain& chain, std::string_view name) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < chain.layers.size(); ++i) {
    COHORT_ASSIGN(const bool is_there, has_bitmap(chain.layers[i], name));
    if (is_there && i != count) {
      return fail(ErrorCode::kInvalidState, "\"{}\" has a bitmap \"{}\", but \"{}\" above it does not.",
                  chain.layers[i].path.string(), name, chain.layers[count].path.string());
    }
    if (is_there) ++count;
  }
  if (count == 0) return not_found(name, chain.layers.front().path);
  return count;
}

}  // namespace

Result<std::vector<Bitmap>> list_bitmaps(const ChainLayer& image) {
  if (!image.header || !image.header->bitmaps) return std::vector<Bitmap>{};
  COHORT_ASSIGN(const ImageFile file, open_image_file(image.path));
  return read_bitmap_directory(file, *image.header->bitmaps);
}

Result<std::unique_ptr<RangeCursor>> read_bitmap(const ChainLayer& image, std::string_view name) {
  COHORT_ASSIGN(const auto bitmaps, list_bitmaps(image));
  const Bitmap* bitmap = find(bitmaps, name);
  if (bitmap == nullptr) return not_found(name, image.path);
  if (bitmap->state != BitmapState::kConsistent) return unusable(*bitmap, image.path.string());
  COHORT_ASSIGN(ImageFile file, open_image_file(image.path));
  return open_bitmap(std::move(file), *image.header, *bitmap);
}

Result<std::unique_ptr<RangeCursor>> read_bitmap(const Chain& chain, std::string_view name) {
  COHORT_ASSIGN(const std::size_t count, images_with(chain, name));
  std::vector<std::unique_ptr<RangeCursor>> cursors;
  for (std::size_t i = 0; i < count; ++i) {
    const ChainLayer& image = chain.layers[i];
    if (image.header->disk_size() != chain.layers.front().header->disk_size()) {
      return fail(ErrorCode::kInvalidState, "The disk was resized after \"{}\": its bitmap \"{}\" is of another size.",
                  image.path.string(), name);
    }
    COHORT_ASSIGN(auto cursor, read_bitmap(image, name));
    cursors.push_back(std::move(cursor));
  }
  return union_of(std::move(cursors));
}

}  // namespace cohort::disk
