// Values of options that CLI11 does not read by itself. All fail with kInvalidArgument, naming the value.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "domain/consistency.h"
#include "domain/refusal_kind.h"
#include "service/chosen_disks.h"

namespace cohort::cli {

// "1048576", "50M", "1.5G", "200MiB/s": bytes (a second), the units binary, in either case, "/s" or not. Not 0.
[[nodiscard]] Result<std::uint64_t> parse_rate(std::string_view text);

// "30", "30s", "1.5m", "1h": seconds, minutes or hours; a month at most. Not 0.
[[nodiscard]] Result<Milliseconds> parse_duration(std::string_view text);

// "crash", "best", "application".
[[nodiscard]] Result<ConsistencyWish> parse_consistency(std::string_view text);

// The value of an option that counts: not negative.
[[nodiscard]] Result<std::uint64_t> parse_count(std::string_view option, std::int64_t value);

// "2026-01-31T23:59:59Z", with or without parts of a second, "2026-01-31 23:59:59", "2026-01-31 23:59" (up to the end
// of that minute), "2026-01-31" (up to the end of that day): in UTC.
[[nodiscard]] Result<WallTime> parse_time(const std::string& text);

// "MACHINE/TARGET"…; the last slash divides.
[[nodiscard]] Result<std::vector<service::ChosenDisk>> parse_disks(const std::vector<std::string>& names);

// "OLD=NEW"…, each OLD once; the first '=' divides.
[[nodiscard]] Result<std::map<std::string, std::string>> parse_names(const std::vector<std::string>& pairs);

// The names of what an import may be trusted with, each a kind of refusal.
[[nodiscard]] Result<std::set<RefusalKind>> parse_trusted(const std::vector<std::string>& names);

// The folder's absolute path without a slash at its end; it need not exist.
[[nodiscard]] Result<Path> parse_folder(const std::string& text);

}  // namespace cohort::cli
