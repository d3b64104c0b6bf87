#include "disk/compressed_cluster.h"

#include <zlib.h>
#include <zstd.h>

#include <memory>

namespace cohort::disk {
namespace {

// Deflate without a header, with a window of 4 KiB (docs/interop/qcow2.txt, "Compressed Clusters").
constexpr int kRawWindowBits = -12;

bool unpack_deflate(std::span<const std::byte> stored, std::span<std::byte> cluster) {
  z_stream stream{};
  if (inflateInit2(&stream, kRawWindowBits) != Z_OK) return false;
  // zlib reads through this pointer only, but its type predates const.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(stored.data()));
  stream.avail_in = static_cast<uInt>(stored.size());
  stream.next_out = reinterpret_cast<Bytef*>(cluster.data());
  stream.avail_out = static_cast<uInt>(cluster.size());
  const int outcome = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  // Z_BUF_ERROR: the end of the packed data is not reached, but all of the cluster is there.
  return (outcome == Z_STREAM_END || outcome == Z_BUF_ERROR) && stream.avail_out == 0;
}

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

bool unpack_zstd(std::span<const std::byte> stored, std::span<std::byte> cluster) {
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  if (!context) return false;
  ZSTD_inBuffer input{stored.data(), stored.size(), 0};
  ZSTD_outBuffer output{cluster.data(), cluster.size(), 0};
  std::size_t wanted = 1;
  while (output.pos < output.size) {
    const std::size_t before = input.pos + output.pos;
    wanted = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(wanted) != 0 || input.pos + output.pos == before) return false;
  }
  // More is wanted: what was packed is no single cluster.
  return wanted == 0;
}

}  // namespace

bool unpack_cluster(Compression compression, std::span<const std::byte> stored, std::span<std::byte> cluster) {
  return compression == Compression::kZstd ? unpack_zstd(stored, cluster) : unpack_deflate(stored, cluster);
}

ClusterPacker::ClusterPacker() : context_(ZSTD_createCCtx()) {}

void ClusterPacker::Free::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }

Result<std::span<const std::byte>> ClusterPacker::pack(std::span<const std::byte> cluster) {
  packed_.resize(ZSTD_compressBound(cluster.size()));
  if (!context_) return fail(ErrorCode::kInternal, "There is no memory to compress with.");
  const std::size_t size = ZSTD_compressCCtx(context_.get(), packed_.data(), packed_.size(), cluster.data(),
                                             cluster.size(), ZSTD_CLEVEL_DEFAULT);
  if (ZSTD_isError(size) != 0) {
    return fail(ErrorCode::kInternal, "A cluster cannot be compressed: {}.", ZSTD_getErrorName(size));
  }
  return std::span<const std::byte>(packed_).first(size);
}

}  // namespace cohort::disk
