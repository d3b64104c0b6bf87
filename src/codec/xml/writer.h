// Writes XML: every element is closed by a tag of its own, since there are readers that want it so.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cohort::codec::xml {

class Writer {
 public:
  // <name …>; it stays open for attributes until text or another element follows.
  Writer& open(std::string_view name);
  // REQUIRES: the last call was open() or attribute().
  Writer& attribute(std::string_view name, std::string_view value);
  // Escaped. Characters that XML does not have become U+FFFD.
  Writer& text(std::string_view text);
  // As it is.
  Writer& raw(std::string_view xml);
  Writer& close();
  // open, text, close.
  Writer& element(std::string_view name, std::string_view content);

  // What has been written and not been taken yet, in bytes.
  [[nodiscard]] std::size_t size() const { return written_.size(); }
  [[nodiscard]] std::string take() {
    finish_tag();
    return std::exchange(written_, {});
  }

 private:
  void finish_tag();

  std::string written_;
  std::vector<std::string> open_;
  bool is_in_tag_ = false;
};

[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace cohort::codec::xml
