// The SHA-256 of a whole, and of parts of it, in one pass over the bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/sha256.h"
#include "base/sha256_steps.h"

namespace cohort {

// Each step of SHA-256 needs the one before, so that a processor with instructions for it waits most of the time. A
// second hash of the same bytes shares their preparation and takes its steps in between: both cost 1.4 times what one
// does. Threads: one at a time.
class Sha256OfParts {
 public:
  // Whether this processor can (x86-64 with the SHA extensions).
  [[nodiscard]] static bool is_one_pass();

  // In two passes the parts cost as much again as the whole.
  // REQUIRES: is_one_pass(), to have it in one.
  explicit Sha256OfParts(bool in_one_pass = is_one_pass());

  void update(std::string_view bytes);
  // Adds the part to the whole, too. 64 lower-case hex digits, of the part alone.
  // In one pass where a multiple of 64 bytes was added before, and in two elsewhere.
  [[nodiscard]] std::string update_part(std::string_view part);
  // 64 lower-case hex digits, of the whole; the object is spent.
  [[nodiscard]] std::string finish();

 private:
  // FIPS 180-4, by sha256_steps().
  class InOnePass {
   public:
    void update(std::string_view bytes);
    [[nodiscard]] std::string update_part(std::string_view part);
    [[nodiscard]] std::string finish();

   private:
    [[nodiscard]] std::size_t pending() const { return length_ % kSha256BlockBytes; }

    Sha256State state_ = kSha256Begin;
    std::uint64_t length_ = 0;                       // bytes
    std::array<char, kSha256BlockBytes> pending_{};  // what is not in the state yet, at its begin
  };

  std::variant<Sha256, InOnePass> whole_;
};

}  // namespace cohort
