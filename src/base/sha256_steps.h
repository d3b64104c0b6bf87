// The steps of SHA-256, by the instructions that some processors have for them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace cohort {

// FIPS 180-4: the eight words of a hash, before any byte and between blocks.
using Sha256State = std::array<std::uint32_t, 8>;
inline constexpr Sha256State kSha256Begin{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
inline constexpr std::size_t kSha256BlockBytes = 64;

// x86-64 with the SHA extensions.
[[nodiscard]] bool has_sha256_steps();

// Takes blocks of 64 bytes into one state, or the same ones into two.
// REQUIRES: has_sha256_steps().
void sha256_steps(Sha256State& state, const char* bytes, std::size_t blocks);
void sha256_steps(Sha256State& first, Sha256State& second, const char* bytes, std::size_t blocks);

}  // namespace cohort
