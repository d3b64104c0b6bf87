// A list of texts in little room: paths that differ in a few characters at their end, mostly.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cohort::provider {

// Of each text only what differs from the one before is kept. They are taken from the front, in their order.
class NameList {
 public:
  // REQUIRES: nothing has been taken yet.
  void add(std::string_view text);

  [[nodiscard]] bool is_empty() const { return at_ == kept_.size(); }
  // REQUIRES: the list is not empty.
  [[nodiscard]] std::string_view front();
  void pop();

  // Where the front is now, to go back there.
  struct Mark {
    std::size_t at = 0, next = 0;
    std::string last;
  };
  [[nodiscard]] Mark mark() const { return {at_, next_, last_}; }
  void go_back(Mark mark);

  // What it takes of the memory.
  [[nodiscard]] std::size_t bytes() const { return kept_.capacity() + last_.capacity(); }
  // Gives back what was set aside for more.
  void shrink();

 private:
  void put(std::size_t number);
  [[nodiscard]] std::size_t number();

  std::string kept_;  // for each text: how much it shares with the one before, how much follows, and that
  std::string last_;  // the text that was added or taken last
  std::size_t at_ = 0;
  std::size_t next_ = 0;  // where the text after the front begins; 0: the front has not been looked at
};

}  // namespace cohort::provider
