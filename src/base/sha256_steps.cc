#include "base/sha256_steps.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

namespace cohort {
namespace {

// CPUID, as in Intel's manual (volume 2A): leaf 1, and leaf 7.
constexpr unsigned kSsse3 = 1U << 9U;   // of leaf 1, ECX
constexpr unsigned kSse41 = 1U << 19U;  // of leaf 1, ECX
constexpr unsigned kSha = 1U << 29U;    // of leaf 7, EBX

constexpr std::size_t kRoundsAtOnce = 4;
constexpr std::size_t kSteps = 64 / kRoundsAtOnce;

// FIPS 180-4, 4.2.2.
alignas(16) constexpr std::array<std::uint32_t, 64> kConstants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// A function for processors that have what is asked for above; it goes into its caller, which is one, too.
#define COHORT_SHA [[gnu::target("sha,sse4.1,ssse3")]]
#define COHORT_SHA_INLINE COHORT_SHA [[gnu::always_inline]] inline

// The next sixteen words of the message schedule.
struct Words {
  __m128i at[4];  // std::array warns of the type's alignment
};

// A state in the order of the instructions: words a, b, e, f and c, d, g, h.
struct Lane {
  __m128i abef;
  __m128i cdgh;
};

__m128i* vector_at(std::uint32_t* words) { return reinterpret_cast<__m128i*>(words); }
const __m128i* vector_at(const std::uint32_t* words) { return reinterpret_cast<const __m128i*>(words); }

COHORT_SHA_INLINE Lane lane_of(const Sha256State& state) {
  const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(vector_at(state.data())), 0xB1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(vector_at(state.data() + 4)), 0x1B);
  return {_mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xF0)};
}

COHORT_SHA_INLINE Sha256State state_of(const Lane& lane) {
  const __m128i feba = _mm_shuffle_epi32(lane.abef, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(lane.cdgh, 0xB1);
  Sha256State state;
  _mm_storeu_si128(vector_at(state.data()), _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(vector_at(state.data() + 4), _mm_alignr_epi8(dchg, feba, 8));
  return state;
}

// Four rounds of each lane, which do not wait for each other, and the words for four later rounds.
template <std::size_t kStep, std::size_t kLanes>
COHORT_SHA_INLINE void take_step(std::array<Lane, kLanes>& lanes, Words& words) {
  const __m128i low = _mm_add_epi32(words.at[kStep % 4], _mm_load_si128(vector_at(&kConstants[kStep * kRoundsAtOnce])));
  const __m128i high = _mm_shuffle_epi32(low, 0x0E);
  for (Lane& lane : lanes) lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, low);
  for (Lane& lane : lanes) lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, high);
  if constexpr (kStep + 4 < kSteps) {
    const __m128i before = words.at[(kStep + 3) % 4];
    const __m128i seven_back = _mm_alignr_epi8(before, words.at[(kStep + 2) % 4], 4);
    const __m128i half =
        _mm_add_epi32(_mm_sha256msg1_epu32(words.at[kStep % 4], words.at[(kStep + 1) % 4]), seven_back);
    words.at[kStep % 4] = _mm_sha256msg2_epu32(half, before);
  }
  if constexpr (kStep + 1 < kSteps) take_step<kStep + 1>(lanes, words);
}

COHORT_SHA_INLINE __m128i four_words(const char* bytes) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  return _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)), big_endian);
}

template <std::size_t kLanes>
COHORT_SHA_INLINE void take_block(std::array<Lane, kLanes>& lanes, const char* bytes) {
  Words words{{four_words(bytes), four_words(bytes + 16), four_words(bytes + 32), four_words(bytes + 48)}};
  const std::array<Lane, kLanes> before = lanes;
  take_step<0>(lanes, words);
  for (std::size_t i = 0; i < kLanes; ++i) {
    lanes[i] = {_mm_add_epi32(lanes[i].abef, before[i].abef), _mm_add_epi32(lanes[i].cdgh, before[i].cdgh)};
  }
}

}  // namespace

bool has_sha256_steps() {
  static const bool has = [] {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    constexpr unsigned kNeeded = kSsse3 | kSse41;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kNeeded) != kNeeded) return false;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx & kSha) != 0;
  }();
  return has;
}

COHORT_SHA void sha256_steps(Sha256State& state, const char* bytes, std::size_t blocks) {
  std::array<Lane, 1> lanes{lane_of(state)};
  for (; blocks > 0; --blocks, bytes += kSha256BlockBytes) take_block(lanes, bytes);
  state = state_of(lanes[0]);
}

COHORT_SHA void sha256_steps(Sha256State& first, Sha256State& second, const char* bytes, std::size_t blocks) {
  std::array<Lane, 2> lanes{lane_of(first), lane_of(second)};
  for (; blocks > 0; --blocks, bytes += kSha256BlockBytes) take_block(lanes, bytes);
  first = state_of(lanes[0]);
  second = state_of(lanes[1]);
}

}  // namespace cohort

#else

namespace cohort {

bool has_sha256_steps() { return false; }
void sha256_steps(Sha256State& /*state*/, const char* /*bytes*/, std::size_t /*blocks*/) {}
void sha256_steps(Sha256State& /*first*/, Sha256State& /*second*/, const char* /*bytes*/, std::size_t /*blocks*/) {}

}  // namespace cohort

#endif
