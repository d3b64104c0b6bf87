// Snapshots as the tree that they make.
#pragma once

#include <cstddef>
#include <vector>

#include "domain/snapshot.h"

namespace cohort::cli {

struct TreeLine {
  const Snapshot* snapshot = nullptr;
  std::size_t depth = 0;  // how many branches lead to it
};

// Each after its parent; the older first, and a branch whole. One whose parent is not among them begins a tree. They
// point into `snapshots`, which are in the order of their instants.
[[nodiscard]] std::vector<TreeLine> tree_of(const std::vector<Snapshot>& snapshots);

}  // namespace cohort::cli
