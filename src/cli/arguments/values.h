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

// "MACHINE/TARGET"…; the last slash divides.
[[nodiscard]] Result<std::vector<service::ChosenDisk>> parse_disks(const std::vector<std::string>& names);

// "OLD=NEW"…, each OLD once; the first '=' divides.
[[nodiscard]] Result<std::map<std::string, std::string>> parse_names(const std::vector<std::string>& pairs);

// The names of what an import may be trusted with, each a kind of refusal.
[[nodiscard]] Result<std::set<RefusalKind>> parse_trusted(const std::vector<std::string>& names);

// The folder's absolute path without a slash at its end; it need not exist.
[[nodiscard]] Result<Path> parse_folder(const std::string& text);

}  // namespace cohort::cli
