#include "cli/arguments/values.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <system_error>

namespace cohort::cli {

namespace {

// Of "", "b", "k", "kb", "kib", "m" … as a power of 1024.
std::optional<int> power_of(std::string_view unit) {
  constexpr std::string_view kLetters = "KMGT";
  std::string upper;
  for (const char c : unit) {
    upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  if (upper.empty() || upper == "B") {
    return 0;
  }
  const auto letter = kLetters.find(upper.front());
  const std::string_view rest = std::string_view(upper).substr(1);
  if (letter == std::string_view::npos || (!rest.empty() && rest != "B" && rest != "IB")) {
    return std::nullopt;
  }
  return static_cast<int>(letter) + 1;
}

std::optional<double> seconds_in(std::string_view unit) {
  if (unit.empty() || unit == "s") return 1;
  if (unit == "m" || unit == "min") return 60;
  return unit == "h" ? std::optional(3600.0) : std::nullopt;
}

}  // namespace

Result<std::uint64_t> parse_rate(std::string_view text) {
  const auto wrong = [text] {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is not a rate: give bytes per second as in 50M, 1.5G or 200MiB/s.",
                text);
  };
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number)) {
    return wrong();
  }
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.ends_with("/s")) {
    unit.remove_suffix(2);
  }
  const auto power = power_of(unit);
  const double bytes = power ? std::floor(number * std::pow(1024.0, *power)) : 0;
  // 2^63: far beyond any storage, and surely within 64 bits.
  if (bytes < 1 || bytes >= 9223372036854775808.0) {
    return wrong();
  }
  return static_cast<std::uint64_t>(bytes);
}

Result<Milliseconds> parse_duration(std::string_view text) {
  const auto wrong = [text] {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is not a duration: give it as in 30s, 5m or 1h.", text);
  };
  constexpr double kLongest = 31 * 24 * 3600.0;  // seconds
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number)) {
    return wrong();
  }
  const auto factor = seconds_in(text.substr(static_cast<std::size_t>(end - text.data())));
  const double seconds = factor ? number * *factor : 0;
  if (seconds < 0.001 || seconds > kLongest) {
    return wrong();
  }
  return Milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

Result<ConsistencyWish> parse_consistency(std::string_view text) {
  const auto wish = consistency_wish_from(text);
  if (wish) return *wish;
  return fail(ErrorCode::kInvalidArgument, "\"{}\" is no consistency: give crash, best or application.", text);
}

Result<std::uint64_t> parse_count(std::string_view option, std::int64_t value) {
  if (value >= 0) return static_cast<std::uint64_t>(value);
  return fail(ErrorCode::kInvalidArgument, "{} {} is negative.", option, value);
}

Result<WallTime> parse_time(const std::string& text) {
  // What is not said is the latest that it can be.
  static constexpr std::string_view kLatest = "0000-00-00T23:59:59.999999Z";
  constexpr std::size_t kDay = 10;
  constexpr std::size_t kMinute = 16;
  constexpr std::size_t kSecond = 19;
  std::string whole = text;
  if (whole.size() > kDay && whole[kDay] == ' ') whole[kDay] = 'T';
  if (whole.ends_with('Z')) whole.pop_back();
  const std::size_t length = whole.size();
  const bool has_parts = length > kSecond + 1 && length < kLatest.size() && whole[kSecond] == '.';
  if (has_parts) whole.append(kLatest.size() - 1 - length, '0');
  if (length == kDay || length == kMinute || length == kSecond)
    whole += kLatest.substr(length, kLatest.size() - 1 - length);
  if (auto time = parse_utc(whole + "Z")) return time;
  return fail(ErrorCode::kInvalidArgument, "\"{}\" is no time: give it as in \"2026-01-31 23:59\", in UTC.", text);
}

Result<std::vector<service::ChosenDisk>> parse_disks(const std::vector<std::string>& names) {
  std::vector<service::ChosenDisk> disks;
  for (const auto& name : names) {
    const auto slash = name.rfind('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == name.size()) {
      return fail(ErrorCode::kInvalidArgument, "\"{}\" names no disk: give MACHINE/TARGET, as in web/vda.", name);
    }
    disks.push_back({name.substr(0, slash), name.substr(slash + 1)});
  }
  return disks;
}

Result<std::map<std::string, std::string>> parse_names(const std::vector<std::string>& pairs) {
  std::map<std::string, std::string> names;
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == pair.size()) {
      return fail(ErrorCode::kInvalidArgument, "\"{}\" is not a new name: give it as OLD=NEW.", pair);
    }
    const std::string old_name = pair.substr(0, equals);
    if (!names.emplace(old_name, pair.substr(equals + 1)).second) {
      return fail(ErrorCode::kInvalidArgument, "The machine \"{}\" is given two new names; give one.", old_name);
    }
  }
  return names;
}

Result<std::set<RefusalKind>> parse_trusted(const std::vector<std::string>& names) {
  std::set<RefusalKind> trusted;
  for (const auto& name : names) {
    COHORT_ASSIGN(const RefusalKind kind, trusted_kind_from(name));
    trusted.insert(kind);
  }
  return trusted;
}

Result<Path> parse_folder(const std::string& text) {
  if (text.empty()) {
    return fail(ErrorCode::kInvalidArgument, "The folder's name is empty.");
  }
  std::error_code error;
  Path path = std::filesystem::absolute(text, error).lexically_normal();
  if (error) {
    return Failure{system_error(error.value(), "The current folder cannot be found out; give an absolute path.")};
  }
  return path.has_filename() ? path : path.parent_path();
}

}  // namespace cohort::cli
