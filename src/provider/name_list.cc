#include "provider/name_list.h"

#include <algorithm>
#include <utility>

namespace cohort::provider {
namespace {

constexpr unsigned int kBits = 7;  // of a number in each byte; the highest bit says that more follow
constexpr std::size_t kMore = 1U << kBits;

}  // namespace

void NameList::put(std::size_t number) {
  for (; number >= kMore; number >>= kBits) kept_ += static_cast<char>(number | kMore);
  kept_ += static_cast<char>(number);
}

std::size_t NameList::number() {
  std::size_t number = 0;
  for (unsigned int shift = 0;; shift += kBits) {
    const auto byte = static_cast<unsigned char>(kept_[next_++]);
    number |= (byte & (kMore - 1)) << shift;
    if (byte < kMore) return number;
  }
}

void NameList::add(std::string_view text) {
  const auto differs = std::ranges::mismatch(last_, text).in1;
  const auto shared = static_cast<std::size_t>(differs - last_.begin());
  put(shared);
  put(text.size() - shared);
  kept_ += text.substr(shared);
  last_ = text;
}

std::string_view NameList::front() {
  if (next_ > 0) return last_;
  if (at_ == 0) last_.clear();
  next_ = at_;
  last_.resize(number());
  const std::size_t length = number();
  last_.append(kept_, next_, length);
  next_ += length;
  return last_;
}

void NameList::pop() {
  static_cast<void>(front());
  at_ = next_;
  next_ = 0;
}

void NameList::go_back(Mark mark) {
  at_ = mark.at;
  next_ = mark.next;
  last_ = std::move(mark.last);
}

void NameList::shrink() { kept_.shrink_to_fit(); }

}  // namespace cohort::provider
