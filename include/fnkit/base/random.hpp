// Seeded random numbers: jitter, request ids, span ids, fault plans. Not for secrets.
#pragma once

#include <cstdint>
#include <string>

namespace fnkit {

// SplitMix64 (Steele, Lea, Flood 2014): one multiplication chain a number, any seed is good.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  // Uniform in [0, bound); 0 for bound 0. The bias (bound / 2^64) does not matter here.
  uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }

  // True with probability `percent` in 100.
  bool chance(unsigned percent) { return below(100) < percent; }

  // True with `probability`, 0 to 1.
  bool happens(double probability) {
    return static_cast<double>(next() >> 11) * 0x1p-53 < probability;
  }

  // Never 0 (W3C trace-context section 3.2.2.3).
  uint64_t id() {
    uint64_t bits = 0;
    while (bits == 0) bits = next();
    return bits;
  }

  // Appends an id() as 16 lower-case hex digits.
  void append_hex16(std::string& out);

 private:
  uint64_t state_;
};

// A seed from the system's entropy pool, so that two instances never draw the same ids.
uint64_t random_seed();

}  // namespace fnkit
