#include "daemon/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "cli/output/printable.h"

namespace cohort::daemon {
namespace {

constexpr std::uint64_t kLimit = std::uint64_t{1} << 20U;  // bytes of the file
constexpr std::size_t kColumns = 100;                      // of its comments

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

const Setting* find_setting(std::string_view section, std::string_view key) {
  const auto& all = settings();
  const auto found =
      std::ranges::find_if(all, [&](const Setting& each) { return each.section == section && each.key == key; });
  return found == all.end() ? nullptr : &*found;
}

// Reads the file line by line.
class Reader {
 public:
  Result<void> read_line(std::string_view line) {
    const std::string_view text = trimmed(line);
    if (text.empty() || text.front() == '#' || text.front() == ';') return {};
    if (text.front() == '[') return begin_section(text);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) {
      return fail(ErrorCode::kInvalidArgument, "this is neither \"[section]\" nor \"key = value\"");
    }
    return read_setting(trimmed(text.substr(0, equals)), trimmed(text.substr(equals + 1)));
  }

  // With what the file did not say.
  Result<Configuration> finished() {
    Configuration configuration;
    for (const Setting& each : settings()) COHORT_TRY(read_values(each, configuration));
    return configuration;
  }

 private:
  Result<void> read_values(const Setting& setting, Configuration& into) {
    auto given = given_.find(&setting);
    if (given == given_.end()) given = given_.emplace(&setting, std::vector{std::string(setting.usual)}).first;
    for (const std::string& value : given->second) {
      COHORT_TRY(setting.read(value, into));
      into.values.push_back({&setting, value});
    }
    return {};
  }

  Result<void> begin_section(std::string_view text) {
    if (text.back() != ']') return fail(ErrorCode::kInvalidArgument, "the section's name does not end with \"]\"");
    const std::string_view name = trimmed(text.substr(1, text.size() - 2));
    const auto& all = settings();
    const auto found = std::ranges::find(all, name, &Setting::section);
    if (found == all.end()) return fail(ErrorCode::kInvalidArgument, "there is no section \"{}\"", name);
    section_ = found->section;
    return {};
  }

  Result<void> read_setting(std::string_view key, std::string_view value) {
    if (section_.empty()) return fail(ErrorCode::kInvalidArgument, "\"{}\" stands before the first section", key);
    const Setting* const setting = find_setting(section_, key);
    if (setting == nullptr) {
      return fail(ErrorCode::kInvalidArgument, "the section \"{}\" has no setting \"{}\"", section_, key);
    }
    auto& values = given_[setting];
    if (!values.empty() && !setting->is_repeatable) {
      return fail(ErrorCode::kInvalidArgument, "\"{}\" is there twice", key);
    }
    // Here for the error alone, which names the line.
    Configuration unused;
    if (const auto read = setting->read(value, unused); !read) {
      return fail(ErrorCode::kInvalidArgument, "{}: {}", key, read.error().message);
    }
    values.emplace_back(value);
    return {};
  }

  std::string_view section_;
  std::map<const Setting*, std::vector<std::string>> given_;
};

Result<void> check_whole(const Configuration& configuration) {
  if (configuration.certificate.empty() != configuration.key.empty()) {
    return fail(ErrorCode::kInvalidArgument, "certificate and key have to be given together");
  }
  if (configuration.http.empty() && configuration.https.empty()) {
    return fail(ErrorCode::kInvalidArgument, "with neither http nor https nobody can ask anything");
  }
  if (configuration.clients.authorities.empty() && !configuration.clients.revoked.empty()) {
    return fail(ErrorCode::kInvalidArgument, "client_revoked is of no use without client_authorities");
  }
  const auto& negotiate = configuration.negotiate;
  if (configuration.plain == http::PlainHttp::kSealed && !negotiate.kerberos && !negotiate.ntlm) {
    return fail(ErrorCode::kInvalidArgument, "plain_everywhere = encrypted needs mechanisms to negotiate");
  }
  if (negotiate.ntlm && negotiate.ntlm_users.empty()) {
    return fail(ErrorCode::kInvalidArgument, "the mechanism ntlm needs ntlm_users");
  }
  return {};
}

}  // namespace

std::string to_string(const Address& address) {
  const bool is_ipv6 = address.ip.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", address.ip, address.port) : fmt::format("{}:{}", address.ip, address.port);
}

Result<Configuration> parse_configuration(std::string_view text, const std::string& name) {
  Reader reader;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    if (const auto read = reader.read_line(text.substr(0, end)); !read) {
      return fail(ErrorCode::kInvalidArgument, "{}, line {}: {}.", name, number, read.error().message);
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  COHORT_ASSIGN(auto configuration, reader.finished());
  if (const auto checked = check_whole(configuration); !checked) {
    return fail(ErrorCode::kInvalidArgument, "{}: {}.", name, checked.error().message);
  }
  return configuration;
}

Result<Configuration> read_configuration(const Path& path) {
  auto text = read_file(path, kLimit);
  const bool is_usual_and_missing =
      !text && text.error().code == ErrorCode::kNotFound && path == Path(kUsualConfiguration);
  if (!text && !is_usual_and_missing) return Failure{std::move(text).error()};
  COHORT_ASSIGN(auto configuration, parse_configuration(text.value_or(""), path.string()));
  configuration.file = path;
  return configuration;
}

std::string example_configuration() {
  std::string text =
      "# Configuration of cohortd: see cohortd.conf(5). Each setting is shown with the value that it has\n"
      "# when its line is missing.\n";
  std::string_view section;
  for (const Setting& each : settings()) {
    if (each.section != section) text += fmt::format("\n[{}]\n", section = each.section);
    text += "\n";
    const std::string wrapped = cli::wrap(each.help, kColumns - 2, 0);
    for (std::string_view rest = wrapped; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
      text += fmt::format("# {}\n", rest.substr(0, rest.find('\n')));
    }
    text += fmt::format("#{} ={}{}\n", each.key, each.usual.empty() ? "" : " ", each.usual);
  }
  return text;
}

std::string to_text(const Configuration& configuration) {
  std::string text;
  std::string_view section;
  for (const auto& [setting, value] : configuration.values) {
    if (setting->section != section)
      text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", section = setting->section);
    text += fmt::format("{} ={}{}\n", setting->key, value.empty() ? "" : " ", value);
  }
  return text;
}

}  // namespace cohort::daemon
