#include "cli/output/report_tree.h"

#include <algorithm>

namespace cohort::cli {

namespace {

class Tree {
 public:
  explicit Tree(const std::vector<Snapshot>& snapshots) : snapshots_(snapshots) {}

  std::vector<TreeLine> lines() && {
    for (const auto& snapshot : snapshots_) {
      if (!has_parent(snapshot)) add(snapshot, 0);
    }
    return std::move(lines_);
  }

 private:
  [[nodiscard]] bool has_parent(const Snapshot& snapshot) const {
    return snapshot.parent && std::ranges::find(snapshots_, *snapshot.parent, &Snapshot::id) != snapshots_.end();
  }

  // One that alone follows another stands below it, and not further in: nights make no stairs.
  void add(const Snapshot& snapshot, std::size_t depth) {
    lines_.push_back({&snapshot, depth});
    const auto follows = [&](const Snapshot& other) { return other.parent == snapshot.id; };
    const std::size_t deeper = std::ranges::count_if(snapshots_, follows) > 1 ? depth + 1 : depth;
    for (const auto& other : snapshots_) {
      if (follows(other)) add(other, deeper);
    }
  }

  const std::vector<Snapshot>& snapshots_;
  std::vector<TreeLine> lines_;
};

}  // namespace

std::vector<TreeLine> tree_of(const std::vector<Snapshot>& snapshots) { return Tree(snapshots).lines(); }

}  // namespace cohort::cli
