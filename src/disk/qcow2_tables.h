// What the entries of a qcow2 image's L1 and L2 tables say (QEMU's docs/interop/qcow2.txt, "Cluster mapping").
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "disk/qcow2_header.h"

namespace cohort::disk {

enum class ClusterState : std::uint8_t {
  kUnallocated,  // the backing file decides
  kZero,
  kData,
  kCompressed,
  kImpossible,
};

// The rest of a cluster, or as much of it as is in one state.
struct ClusterPart {
  ClusterState state = ClusterState::kUnallocated;
  std::uint64_t length = 0;        // bytes
  std::uint64_t place = 0;         // bytes from the start of the file; kData: of this part, kCompressed: of the cluster
  std::uint32_t stored_bytes = 0;  // kCompressed: at most so many; what was packed tells its end itself
  std::string_view problem;        // kImpossible: "has …"
};

// How the tables of one image are to be read. Knows no file: whether a place is within one is not looked at.
class Qcow2Tables {
 public:
  explicit Qcow2Tables(const Qcow2Header& header);

  [[nodiscard]] std::uint64_t cluster_size() const { return std::uint64_t{1} << cluster_bits_; }  // bytes
  [[nodiscard]] std::uint32_t entry_size() const { return has_subclusters_ ? 16 : 8; }            // bytes, in L2 tables
  [[nodiscard]] std::uint64_t clusters_per_table() const { return cluster_size() / entry_size(); }
  // Bytes of the disk that one L2 table maps.
  [[nodiscard]] std::uint64_t reach_of_table() const { return clusters_per_table() << cluster_bits_; }

  // The L2 table that an L1 entry names; 0 for none.
  [[nodiscard]] static std::uint64_t l2_table(std::uint64_t l1_entry);

  // The part of a cluster that begins `begin` bytes within it. The cluster's entry is in `table` at `entry`.
  // REQUIRES: begin < cluster_size(); entry + entry_size() <= table.size().
  [[nodiscard]] ClusterPart part_at(std::string_view table, std::size_t entry, std::uint64_t begin) const;

  // Where the image file itself has what is read of the cluster; nothing if nothing is.
  [[nodiscard]] std::optional<std::uint64_t> place_of(std::string_view table, std::size_t entry) const;

 private:
  [[nodiscard]] bool has_place(std::uint64_t entry) const;
  [[nodiscard]] ClusterPart compressed(std::uint64_t entry, std::uint64_t begin) const;
  [[nodiscard]] ClusterPart subclusters(std::uint64_t entry, std::uint64_t states, std::uint64_t begin) const;

  std::uint32_t cluster_bits_;
  bool has_subclusters_;
  bool has_data_file_;
  bool has_zero_clusters_;
};

// The first place from `begin` on that does not hold a number of 8 bytes that is zero; bytes.size() if all are.
// REQUIRES: begin and bytes.size() are multiples of 8.
[[nodiscard]] std::size_t skip_zeros(std::string_view bytes, std::size_t begin);

}  // namespace cohort::disk
