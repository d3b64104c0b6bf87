#include "disk/changed_ranges.h"

#include <gmock/gmock.h>

#include "disk/random_images.h"

namespace cohort::disk {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <typename Item, typename Cursor>
class Listed : public Cursor {
 public:
  explicit Listed(std::vector<Item> items) : items_(std::move(items)) {}
  Result<std::optional<Item>> next() override {
    if (next_ == items_.size()) return std::nullopt;
    return items_[next_++];
  }

 private:
  std::vector<Item> items_;
  std::size_t next_ = 0;
};

std::unique_ptr<RangeCursor> listed(std::vector<Range> ranges) {
  return std::make_unique<Listed<Range, RangeCursor>>(std::move(ranges));
}
std::unique_ptr<ExtentCursor> listed(std::vector<Extent> extents) {
  return std::make_unique<Listed<Extent, ExtentCursor>>(std::move(extents));
}

template <typename Cursor>
auto all_of(Cursor cursor) {
  std::vector<typename std::decay_t<decltype(*cursor->next())>::value_type> items;
  for (;;) {
    const auto item = cursor->next();
    EXPECT_TRUE(item);
    if (!item || !*item) return items;
    items.push_back(**item);
  }
}

std::vector<Range> united(std::vector<std::vector<Range>> lists) {
  std::vector<std::unique_ptr<RangeCursor>> cursors;
  for (auto& list : lists) cursors.push_back(listed(std::move(list)));
  return all_of(union_of(std::move(cursors)));
}

TEST(UnionOf, JoinsWhatOverlapsOrTouches) {
  EXPECT_THAT(united({{{0, 10}, {30, 5}}, {{5, 10}, {35, 5}}, {{100, 1}}}),
              ElementsAre(Range{0, 15}, Range{30, 10}, Range{100, 1}));
}

TEST(UnionOf, KeepsARangeThatOneWithinItFollows) {
  EXPECT_THAT(united({{{0, 100}}, {{10, 5}, {20, 5}, {99, 2}}}), ElementsAre(Range{0, 101}));
}

TEST(UnionOf, IsEmptyIfAllAre) {
  EXPECT_THAT(united({}), IsEmpty());
  EXPECT_THAT(united({{}, {}}), IsEmpty());
}

TEST(UnionOf, AgreesWithABitFieldOnRandomRanges) {
  for_random_seeds(200, 20'000, [](unsigned seed) {
    RandomNumbers random(seed);
    std::string field(300, '.');
    std::vector<std::vector<Range>> lists(random.between(1, 4));
    for (auto& list : lists) {
      for (std::uint64_t place = random.between(0, 50); place < field.size();) {
        const std::uint64_t length = random.between(1, std::min<std::uint64_t>(30, field.size() - place));
        list.push_back({place, length});
        std::fill_n(field.begin() + static_cast<std::ptrdiff_t>(place), length, 'x');
        place += length + random.between(1, 40);
      }
    }
    std::vector<Range> expected;
    for (std::size_t begin = field.find('x'); begin != std::string::npos;) {
      const std::size_t end = std::min(field.find('.', begin), field.size());
      expected.push_back({begin, end - begin});
      begin = field.find('x', end);
    }
    ASSERT_EQ(united(lists), expected);
  });
}

TEST(ChangedExtents, AreTheExtentsCutToTheRanges) {
  const Extent zero{.offset = 0, .length = 100};
  const Extent data{100, 100, ExtentKind::kData, 1, 5000};
  const Extent packed{200, 64, ExtentKind::kCompressed, 0, 900, 30, 10};
  EXPECT_THAT(all_of(changed_extents(listed(std::vector<Extent>{zero, data, packed}),
                                     listed(std::vector<Range>{{10, 10}, {90, 20}, {150, 70}, {260, 90}}))),
              ElementsAre(Extent{.offset = 10, .length = 10}, Extent{.offset = 90, .length = 10},
                          Extent{100, 10, ExtentKind::kData, 1, 5000}, Extent{150, 50, ExtentKind::kData, 1, 5050},
                          Extent{200, 20, ExtentKind::kCompressed, 0, 900, 30, 10},
                          Extent{260, 4, ExtentKind::kCompressed, 0, 900, 30, 70}));
}

TEST(ChangedExtents, AreNoneWithoutRanges) {
  EXPECT_THAT(
      all_of(changed_extents(listed(std::vector<Extent>{{.offset = 0, .length = 100}}), listed(std::vector<Range>{}))),
      IsEmpty());
}

}  // namespace
}  // namespace cohort::disk
