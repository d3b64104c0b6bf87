#include <algorithm>

#include "base/big_endian.h"
#include "disk/layer.h"
#include "disk/qcow2_tables.h"

namespace cohort::disk {
namespace {

constexpr std::uint64_t kL1Entry = 8;  // bytes
constexpr std::uint64_t kL1EntriesInPiece = TableWindow::kPiece / kL1Entry;

struct Qcow2Image {
  Qcow2Tables tables;
  std::uint64_t virtual_size;
  std::uint64_t l1_offset;
  std::uint64_t l1_entries;  // no more than the disk needs
  std::uint32_t file;
  std::uint32_t data_file;  // the same where there is no external one
};

// The entries of an L2 table that are in memory.
struct Slice {
  std::string_view bytes;
  std::uint64_t table;  // offset of the table in the file
  std::uint64_t first;  // number of the first entry
  std::uint64_t begin;  // bytes of the disk
  std::uint64_t end;
};

class Qcow2Cursor : public LayerCursor {
 public:
  Qcow2Cursor(const Qcow2Image& image, const ImageFiles& files)
      : image_(image), tables_(image_.tables), file_(files[image.file]), data_length_(files[image.data_file].length) {}

  Result<LayerExtent> extent_at(std::uint64_t offset) override {
    if (offset >= image_.virtual_size) {
      return LayerExtent{{.offset = offset, .length = UINT64_MAX - offset}, true};
    }
    const std::uint64_t index = offset / tables_.reach_of_table();
    const std::uint64_t first = index / kL1EntriesInPiece * kL1EntriesInPiece;
    const std::uint64_t count = std::min(kL1EntriesInPiece, image_.l1_entries - first);
    COHORT_ASSIGN(const std::string_view piece,
                  l1_.read(file_, image_.l1_offset + first * kL1Entry, count * kL1Entry, "the L1 table"));
    const std::size_t entry = (index - first) * kL1Entry;
    const std::uint64_t table = Qcow2Tables::l2_table(big_endian<std::uint64_t>(piece, entry));
    if (table == 0) return unallocated(offset, first + after_unused(piece, entry) / kL1Entry);
    COHORT_ASSIGN(const Slice slice, read_slice(offset, index, table));
    return extent_in(slice, offset);
  }

 private:
  // The first entry after an unused one that may be used.
  static std::size_t after_unused(std::string_view piece, std::size_t entry) {
    return std::max(entry + kL1Entry, skip_zeros(piece, entry));
  }

  [[nodiscard]] LayerExtent unallocated(std::uint64_t offset, std::uint64_t end_index) const {
    const std::uint64_t reach = tables_.reach_of_table();
    // The last table may reach past what 64 bits count.
    const std::uint64_t end =
        end_index < image_.l1_entries ? std::min(end_index * reach, image_.virtual_size) : image_.virtual_size;
    return {{.offset = offset, .length = end - offset}, false};
  }

  Result<Slice> read_slice(std::uint64_t offset, std::uint64_t l1_index, std::uint64_t table) {
    COHORT_TRY(check_table(l1_index, table));
    const std::uint64_t per_slice = std::min(TableWindow::kPiece / tables_.entry_size(), tables_.clusters_per_table());
    const std::uint64_t cluster = offset / tables_.cluster_size();
    const std::uint64_t first = cluster % tables_.clusters_per_table() / per_slice * per_slice;
    Slice slice{{}, table, first, (cluster - cluster % per_slice) * tables_.cluster_size(), image_.virtual_size};
    const std::uint64_t reach = per_slice * tables_.cluster_size();
    if (image_.virtual_size - slice.begin > reach) slice.end = slice.begin + reach;
    COHORT_ASSIGN(slice.bytes, l2_.read(file_, table + first * tables_.entry_size(), per_slice * tables_.entry_size(),
                                        "an L2 table"));
    return slice;
  }

  [[nodiscard]] Result<void> check_table(std::uint64_t l1_index, std::uint64_t table) const {
    if (table % tables_.cluster_size() != 0) {
      return damaged(file_, fmt::format("entry {} of its L1 table names an L2 table at {}, which is not the start of a "
                                        "cluster.",
                                        l1_index, table));
    }
    if (table >= file_.length || tables_.cluster_size() > file_.length - table) {
      return damaged(file_, fmt::format("entry {} of its L1 table names an L2 table at {}, past the end ({} bytes).",
                                        l1_index, table, file_.length));
    }
    return {};
  }

  // As far as the slice says the same.
  Result<LayerExtent> extent_in(const Slice& slice, std::uint64_t offset) {
    COHORT_ASSIGN(LayerExtent whole, part_in(slice, offset));
    std::uint64_t end = offset + whole.extent.length;
    while (end < slice.end) {
      COHORT_ASSIGN(const LayerExtent next, part_in(slice, end));
      if (next.is_allocated != whole.is_allocated || !join(whole.extent, next.extent)) break;
      end += next.extent.length;
    }
    whole.extent.length = std::min(end, slice.end) - offset;
    return whole;
  }

  // A part of one cluster, or all of several that are unused.
  Result<LayerExtent> part_in(const Slice& slice, std::uint64_t offset) {
    const std::uint64_t begin = offset % tables_.cluster_size();
    const std::size_t entry = (offset - slice.begin) / tables_.cluster_size() * tables_.entry_size();
    const std::size_t unused = (skip_zeros(slice.bytes, entry) - entry) / tables_.entry_size();
    if (unused != 0) {
      return LayerExtent{{.offset = offset, .length = unused * tables_.cluster_size() - begin}, false};
    }
    const ClusterPart part = tables_.part_at(slice.bytes, entry, begin);
    const std::uint64_t number = slice.first + entry / tables_.entry_size();
    switch (part.state) {
      case ClusterState::kUnallocated:
        return LayerExtent{{.offset = offset, .length = part.length}, false};
      case ClusterState::kZero:
        return LayerExtent{{.offset = offset, .length = part.length}, true};
      case ClusterState::kData:
        return data(slice, number, offset, part);
      case ClusterState::kCompressed:
        return compressed(slice, number, offset, part);
      case ClusterState::kImpossible:
        break;
    }
    return damaged(file_, fmt::format("entry {} of the L2 table at {} {}.", number, slice.table, part.problem));
  }

  Result<LayerExtent> data(const Slice& slice, std::uint64_t number, std::uint64_t offset, const ClusterPart& part) {
    const std::uint64_t cluster = part.place - offset % tables_.cluster_size();
    if (cluster >= data_length_) return outside(slice, number, cluster);
    // QEMU does not fill up the last cluster of a file.
    if (part.place >= data_length_) return LayerExtent{{.offset = offset, .length = part.length}, true};
    const std::uint64_t length = std::min(part.length, data_length_ - part.place);
    return LayerExtent{{offset, length, ExtentKind::kData, image_.data_file, part.place}, true};
  }

  Result<LayerExtent> compressed(const Slice& slice, std::uint64_t number, std::uint64_t offset,
                                 const ClusterPart& part) {
    if (part.place >= file_.length) return outside(slice, number, part.place);
    const auto stored = std::min<std::uint64_t>(part.stored_bytes, file_.length - part.place);
    return LayerExtent{
        {offset, part.length, ExtentKind::kCompressed, image_.file, part.place, static_cast<std::uint32_t>(stored),
         static_cast<std::uint32_t>(offset % tables_.cluster_size())},
        true};
  }

  [[nodiscard]] Failure outside(const Slice& slice, std::uint64_t number, std::uint64_t place) const {
    return damaged(file_, fmt::format("entry {} of the L2 table at {} names data at {}, past the end ({} bytes).",
                                      number, slice.table, place, data_length_));
  }

  const Qcow2Image image_;
  const Qcow2Tables& tables_;
  const ImageFile& file_;
  const std::uint64_t data_length_;
  TableWindow l1_;
  TableWindow l2_;
};

class Qcow2Layer : public Layer {
 public:
  explicit Qcow2Layer(const Qcow2Image& image) : image_(image) {}
  [[nodiscard]] std::uint64_t virtual_size() const override { return image_.virtual_size; }
  [[nodiscard]] std::unique_ptr<LayerCursor> cursor(const ImageFiles& files) const override {
    return std::make_unique<Qcow2Cursor>(image_, files);
  }

 private:
  Qcow2Image image_;
};

Result<ImageFile> open_data_file(const ChainLayer& image) {
  if (!image.header->data_file) {
    return fail(ErrorCode::kUnsupported, "\"{}\" has an external data file, but does not name it.",
                image.path.string());
  }
  if (has_protocol(*image.header->data_file)) {
    return fail(ErrorCode::kUnsupported, "The external data file of \"{}\" is not a plain file.", image.path.string());
  }
  const Path path = *image.header->data_file;
  auto file = open_image_file(path);
  if (file) return file;
  return Failure{std::move(file).error().with_context(
      fmt::format("opening the external data file of \"{}\"", image.path.string()))};
}

Result<void> check_l1(const ImageFile& file, const Qcow2Header& header, std::uint64_t needed) {
  if (header.l1_entries < needed) {
    return damaged(file, fmt::format("its L1 table of {} entries is too small for a disk of {} bytes.",
                                     header.l1_entries, header.virtual_size));
  }
  if (header.l1_offset > file.length || needed * kL1Entry > file.length - header.l1_offset) {
    return damaged(file, fmt::format("its L1 table of {} entries at {} is not within the file of {} bytes.",
                                     header.l1_entries, header.l1_offset, file.length));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Layer>> open_qcow2_layer(const ChainLayer& image, ImageFiles& files) {
  const Qcow2Header& header = *image.header;
  COHORT_ASSIGN(ImageFile file, open_image_file(image.path));
  file.cluster_bits = header.cluster_bits;
  file.compression = header.compression;
  const Qcow2Tables tables(header);
  const std::uint64_t size = header.disk_size();
  const std::uint64_t needed = size / tables.reach_of_table() + (size % tables.reach_of_table() != 0 ? 1 : 0);
  COHORT_TRY(check_l1(file, header, needed));
  files.push_back(std::move(file));
  const auto index = static_cast<std::uint32_t>(files.size() - 1);
  Qcow2Image result{tables, size, header.l1_offset, needed, index, index};
  if (header.has_data_file) {
    COHORT_ASSIGN(ImageFile data, open_data_file(image));
    files.push_back(std::move(data));
    ++result.data_file;
  }
  return std::make_unique<Qcow2Layer>(result);
}

}  // namespace cohort::disk
