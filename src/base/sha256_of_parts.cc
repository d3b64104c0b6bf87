#include "base/sha256_of_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/big_endian.h"

namespace cohort {
namespace {

// What stands behind the last whole block: the rest, one bit, zeros, and the length in bits (FIPS 180-4, 5.1.1).
std::string padded(std::string_view rest, std::uint64_t length) {
  std::string text(rest);
  text += '\x80';
  text.resize((text.size() + sizeof(length) + kSha256BlockBytes - 1) / kSha256BlockBytes * kSha256BlockBytes);
  put_big_endian(std::as_writable_bytes(std::span(text)), text.size() - sizeof(length), length * 8);
  return text;
}

std::string finished(Sha256State state, std::string_view rest, std::uint64_t length) {
  const std::string last = padded(rest, length);
  sha256_steps(state, last.data(), last.size() / kSha256BlockBytes);
  std::string text;
  for (const std::uint32_t word : state) text += fmt::format("{:08x}", word);
  return text;
}

}  // namespace

void Sha256OfParts::InOnePass::update(std::string_view bytes) {
  if (pending() > 0) {
    const std::size_t count = std::min(kSha256BlockBytes - pending(), bytes.size());
    std::ranges::copy(bytes.substr(0, count), pending_.begin() + static_cast<std::ptrdiff_t>(pending()));
    length_ += count;
    if (pending() > 0) return;
    sha256_steps(state_, pending_.data(), 1);
    bytes.remove_prefix(count);
  }
  const std::size_t rest = bytes.size() % kSha256BlockBytes;
  sha256_steps(state_, bytes.data(), bytes.size() / kSha256BlockBytes);
  std::ranges::copy(bytes.substr(bytes.size() - rest), pending_.begin());
  length_ += bytes.size();
}

std::string Sha256OfParts::InOnePass::update_part(std::string_view part) {
  if (pending() > 0) {
    update(part);
    return Sha256::of(part);
  }
  Sha256State own = kSha256Begin;
  const std::size_t rest = part.size() % kSha256BlockBytes;
  const std::string_view end = part.substr(part.size() - rest);
  sha256_steps(state_, own, part.data(), part.size() / kSha256BlockBytes);
  length_ += part.size() - rest;
  update(end);
  return finished(own, end, part.size());
}

std::string Sha256OfParts::InOnePass::finish() { return finished(state_, {pending_.data(), pending()}, length_); }

bool Sha256OfParts::is_one_pass() { return has_sha256_steps(); }

Sha256OfParts::Sha256OfParts(bool in_one_pass) {
  if (in_one_pass) whole_ = InOnePass();
}

void Sha256OfParts::update(std::string_view bytes) {
  std::visit([bytes](auto& whole) { whole.update(bytes); }, whole_);
}

std::string Sha256OfParts::update_part(std::string_view part) {
  if (auto* one_pass = std::get_if<InOnePass>(&whole_)) return one_pass->update_part(part);
  update(part);
  return Sha256::of(part);
}

std::string Sha256OfParts::finish() {
  return std::visit([](auto& whole) { return whole.finish(); }, whole_);
}

}  // namespace cohort
