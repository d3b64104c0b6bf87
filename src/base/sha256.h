// SHA-256 (FIPS 180-4), through OpenSSL.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace cohort {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::string_view bytes);
  // 64 lower-case hex digits; the object is spent.
  [[nodiscard]] std::string finish();

  [[nodiscard]] static std::string of(std::string_view bytes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Of a whole file, holes read as zeros. `on_read` gets the bytes since the last call; kCancelled by `stop`.
[[nodiscard]] Result<std::string> sha256_of_file(const Path& path, std::stop_token stop = {},
                                                 const std::function<void(std::uint64_t)>& on_read = {});

}  // namespace cohort
