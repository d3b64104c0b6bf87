#include "disk/qcow2_tables.h"

#include <gtest/gtest.h>

#include <string>

namespace cohort::disk {
namespace {

constexpr std::uint64_t kCluster = 65536;
constexpr std::uint64_t kSubcluster = kCluster / 32;
constexpr std::uint64_t kPlace = 5 * kCluster;
constexpr std::uint64_t kCopied = 1UL << 63U;

std::string table_of(std::initializer_list<std::uint64_t> numbers) {
  std::string table;
  for (const std::uint64_t number : numbers) {
    for (unsigned shift = 64; shift != 0; shift -= 8) table += static_cast<char>(number >> (shift - 8));
  }
  return table;
}

Qcow2Tables tables(bool has_extended_l2, bool has_data_file = false) {
  Qcow2Header header;
  header.version = 3;
  header.cluster_bits = 16;
  header.has_extended_l2 = has_extended_l2;
  header.has_data_file = has_data_file;
  return Qcow2Tables(header);
}

void expect(const ClusterPart& part, ClusterState state, std::uint64_t length, std::uint64_t place = 0) {
  EXPECT_EQ(part.state, state);
  EXPECT_EQ(part.length, length);
  EXPECT_EQ(part.place, place);
}

TEST(Qcow2Tables, FollowTheirEntriesForWholeClusters) {
  const std::string table = table_of({0, 1, kCopied | kPlace, kPlace | 1});
  expect(tables(false).part_at(table, 0, 0), ClusterState::kUnallocated, kCluster);
  expect(tables(false).part_at(table, 8, 512), ClusterState::kZero, kCluster - 512);
  expect(tables(false).part_at(table, 16, 512), ClusterState::kData, kCluster - 512, kPlace + 512);
  expect(tables(false).part_at(table, 24, 0), ClusterState::kZero, kCluster);
}

// Subclusters 0 and 1 are data, 2 to 4 zeros, 5 to 30 unallocated, 31 is data.
TEST(Qcow2Tables, FollowTheStatesOfSubclusters) {
  const std::string table = table_of({kCopied | kPlace, 0x0000001c'80000003});
  const Qcow2Tables extended = tables(true);
  expect(extended.part_at(table, 0, 0), ClusterState::kData, 2 * kSubcluster, kPlace);
  expect(extended.part_at(table, 0, 512), ClusterState::kData, 2 * kSubcluster - 512, kPlace + 512);
  expect(extended.part_at(table, 0, 2 * kSubcluster), ClusterState::kZero, 3 * kSubcluster);
  expect(extended.part_at(table, 0, 5 * kSubcluster), ClusterState::kUnallocated, 26 * kSubcluster);
  expect(extended.part_at(table, 0, 31 * kSubcluster), ClusterState::kData, kSubcluster, kPlace + 31 * kSubcluster);
}

TEST(Qcow2Tables, EndAnUnallocatedSubclusterWhereZerosBegin) {
  const std::string table = table_of({0, 0xf0000000'00000000});
  expect(tables(true).part_at(table, 0, 0), ClusterState::kUnallocated, 28 * kSubcluster);
  expect(tables(true).part_at(table, 0, 28 * kSubcluster), ClusterState::kZero, 4 * kSubcluster);
}

// 64 KiB clusters: the offset has 54 bits, the sectors 8.
TEST(Qcow2Tables, CountTheSectorsOfACompressedCluster) {
  const std::string table = table_of({1UL << 62U | 3UL << 54U | 100'000});
  const ClusterPart part = tables(false).part_at(table, 0, 1024);
  expect(part, ClusterState::kCompressed, kCluster - 1024, 100'000);
  EXPECT_EQ(part.stored_bytes, 4 * 512U - 100'000 % 512);
  EXPECT_EQ(tables(false).place_of(table, 0), 100'000U);
}

TEST(Qcow2Tables, TakeTheStartOfADataFileForAPlace) {
  const std::string table = table_of({kCopied, 0});
  expect(tables(false, true).part_at(table, 0, 0), ClusterState::kData, kCluster);
  expect(tables(false, true).part_at(table, 8, 0), ClusterState::kUnallocated, kCluster);
  expect(tables(false).part_at(table, 0, 0), ClusterState::kUnallocated, kCluster);
}

TEST(Qcow2Tables, NameThePlaceOfWhatIsReadInTheImageItself) {
  const std::string table = table_of({kPlace, kPlace | 1, 0});
  EXPECT_EQ(tables(false).place_of(table, 0), kPlace);
  EXPECT_FALSE(tables(false).place_of(table, 8));
  EXPECT_FALSE(tables(false).place_of(table, 16));
  EXPECT_FALSE(tables(false, true).place_of(table, 0));
  EXPECT_EQ(tables(true).place_of(table_of({kPlace, 1}), 0), kPlace);
  EXPECT_FALSE(tables(true).place_of(table_of({kPlace, 1UL << 32U}), 0));
}

TEST(SkipZeros, FindsTheFirstNumberThatIsNotZero) {
  const std::string table = table_of({0, 0, 1, 0});
  EXPECT_EQ(skip_zeros(table, 0), 16U);
  EXPECT_EQ(skip_zeros(table, 16), 16U);
  EXPECT_EQ(skip_zeros(table, 24), 32U);
}

}  // namespace
}  // namespace cohort::disk
