#include "hypervisor/configuration_check.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include <fmt/ranges.h>

#include "hypervisor/allowed_configuration.h"
#include "hypervisor/xml_document.h"

namespace cohort::hypervisor {
namespace {

// Better words for what is known to be harmful. Nothing is refused because it is listed here, but because it is not in
// allowed_configuration.h.
struct KnownHarm {
  std::string_view path;
  RefusalKind kind;
  std::string_view message;
};
constexpr std::string_view kConnectsPort = "It connects a port of the guest to something of this host.";
constexpr std::string_view kNamesFile = "It names a file of this host, which does not come with the package.";
constexpr std::string_view kUsesDevice = "It uses a device of this host.";
constexpr KnownHarm kKnownHarms[] = {
    {"/domain/devices/hostdev", RefusalKind::kHostDevice, "It passes a device of this host to the guest."},
    {"/domain/devices/input/@type", RefusalKind::kHostDevice, "It passes an input device of this host to the guest."},
    {"/domain/devices/input/source", RefusalKind::kHostDevice, "It reads an input device of this host."},
    {"/domain/devices/tpm/backend/@type", RefusalKind::kHostDevice, "It passes a TPM of this host to the guest."},
    {"/domain/devices/tpm/backend/device", RefusalKind::kHostDevice, "It passes a TPM of this host to the guest."},
    {"/domain/devices/tpm/backend/source", RefusalKind::kHostPath, "It names where the TPM's state is on this host."},
    {"/domain/devices/audio/@type", RefusalKind::kHostDevice, "It uses the sound system of this host, or a file."},
    {"/domain/devices/graphics/@type", RefusalKind::kHostDevice, "It shows the guest on a display of this host."},
    {"/domain/devices/graphics/gl", RefusalKind::kHostDevice, "It uses a graphics processor of this host."},
    {"/domain/devices/graphics/gl/@enable", RefusalKind::kHostDevice, "It uses a graphics processor of this host."},
    {"/domain/devices/graphics/gl/@rendernode", RefusalKind::kHostDevice, kUsesDevice},
    {"/domain/devices/video/driver/@name", RefusalKind::kHostDevice, "It starts another program to draw."},
    {"/domain/devices/video/model/acceleration/@rendernode", RefusalKind::kHostDevice, kUsesDevice},
    {"/domain/devices/smartcard/@mode", RefusalKind::kHostDevice, "It reads smart cards or certificates of this host."},
    {"/domain/devices/smartcard/@type", RefusalKind::kCharacterDevice, kConnectsPort},
    {"/domain/devices/redirdev/@type", RefusalKind::kCharacterDevice, kConnectsPort},
    {"/domain/devices/rng/backend/@model", RefusalKind::kCharacterDevice, "It reads random numbers from elsewhere."},
    {"/domain/devices/rng/backend", RefusalKind::kHostDevice,
     "It reads another file than /dev/urandom or /dev/random."},
    {"/domain/devices/crypto/backend/@model", RefusalKind::kHostDevice, kUsesDevice},
    {"/domain/devices/filesystem", RefusalKind::kHostPath, "It shares a folder of this host with the guest."},
    {"/domain/devices/shmem", RefusalKind::kHostPath, "It shares memory with other programs of this host."},
    {"/domain/devices/lease", RefusalKind::kHostPath, "It takes part in the lock space of a cluster."},
    {"/domain/devices/pstore", RefusalKind::kHostPath, kNamesFile},
    {"/domain/devices/memory/@model", RefusalKind::kHostPath, "It is memory that a file or device of this host backs."},
    {"/domain/devices/memory/source/path", RefusalKind::kHostPath, kNamesFile},
    {"/domain/devices/disk/driver/@name", RefusalKind::kHostDevice, "It needs a driver other than QEMU's own."},
    {"/domain/devices/interface/@type", RefusalKind::kNetwork, "It takes hold of a network device of this host."},
    {"/domain/devices/interface/script", RefusalKind::kCommandLine, "It runs a program of this host."},
    {"/domain/devices/interface/downscript", RefusalKind::kCommandLine, "It runs a program of this host."},
    {"/domain/devices/interface/portForward", RefusalKind::kNetwork, "It opens ports of this host."},
    {"/domain/devices/interface/backend/@logFile", RefusalKind::kHostPath, kNamesFile},
    {"/domain/devices/interface/backend/@tap", RefusalKind::kHostDevice, kUsesDevice},
    {"/domain/devices/interface/backend/@vhost", RefusalKind::kHostDevice, kUsesDevice},
    {"/domain/devices/interface/virtualport/@type", RefusalKind::kNetwork, "It sets up a switch of this host."},
    {"/domain/devices/interface/rom/@file", RefusalKind::kHostPath, kNamesFile},
    {"/domain/devices/emulator", RefusalKind::kHostPath, "It starts another program than one of the usual emulators."},
    {"/domain/devices/serial/@type", RefusalKind::kCharacterDevice, kConnectsPort},
    {"/domain/devices/parallel/@type", RefusalKind::kCharacterDevice, kConnectsPort},
    {"/domain/devices/console/@type", RefusalKind::kCharacterDevice, kConnectsPort},
    {"/domain/devices/channel/@type", RefusalKind::kCharacterDevice, kConnectsPort},
    {"/domain/devices/watchdog/@action", RefusalKind::kHostAction, "It makes this host write a dump."},
    {"/domain/on_crash", RefusalKind::kHostAction, "It makes this host write a dump."},
    {"/domain/os/loader", RefusalKind::kHostPath, "It is no firmware in a folder of the distribution."},
    {"/domain/os/nvram/@template", RefusalKind::kHostPath, "It is no firmware in a folder of the distribution."},
    {"/domain/os/nvram/@type", RefusalKind::kHostDevice, "It keeps firmware variables elsewhere than in a file."},
    {"/domain/os/kernel", RefusalKind::kHostPath, kNamesFile},
    {"/domain/os/initrd", RefusalKind::kHostPath, kNamesFile},
    {"/domain/os/dtb", RefusalKind::kHostPath, kNamesFile},
    {"/domain/os/shim", RefusalKind::kHostPath, kNamesFile},
    {"/domain/os/acpi", RefusalKind::kHostPath, kNamesFile},
    {"/domain/os/cmdline", RefusalKind::kHostPath, "It belongs to a kernel that is a file of this host."},
    {"/domain/os/type", RefusalKind::kHostPath, "It is not a fully virtualized machine."},
    {"/domain/bootloader", RefusalKind::kCommandLine, "It runs a program of this host."},
    {"/domain/bootloader_args", RefusalKind::kCommandLine, "It runs a program of this host."},
    {"/domain/sysinfo/@type", RefusalKind::kHostPath, "It can hand files of this host to the guest."},
    {"/domain/sysinfo/entry", RefusalKind::kHostPath, "It can hand files of this host to the guest."},
    {"/domain/blkiotune/device", RefusalKind::kHostPath, "It names a device of this host."},
    {"/domain/launchSecurity", RefusalKind::kHostDevice, "It needs memory encryption set up for another host."},
    {"/domain/@type", RefusalKind::kUnexpectedValue, "It is not a machine of QEMU."},
};

const KnownHarm* find_known_harm(std::string_view path) {
  const auto* const found = std::find_if(std::begin(kKnownHarms), std::end(kKnownHarms),
                                         [&](const KnownHarm& harm) { return harm.path == path; });
  return found == std::end(kKnownHarms) ? nullptr : found;
}

// --- the rules for values ---

bool is_plain(std::string_view value) {
  return value.size() <= 256 && std::none_of(value.begin(), value.end(),
                                             [](char c) { return c == '/' || (c >= 0 && c < ' ') || c == '\x7f'; });
}

// A file of a package of the distribution, which only root can change.
bool is_firmware(std::string_view path) {
  constexpr std::string_view kFolders[] = {
      "/usr/share/OVMF/",
      "/usr/share/ovmf/",
      "/usr/share/qemu/",
      "/usr/share/AAVMF/",
      "/usr/share/edk2/",
      "/usr/share/edk2-ovmf/",
      "/usr/share/seabios/",
      "/usr/share/qemu-kvm/",
      "/usr/share/qemu-efi-aarch64/",
      "/usr/share/qemu-efi-arm/",
      "/usr/share/qemu-efi-riscv64/",
  };
  return path.find("..") == std::string_view::npos &&
         std::any_of(std::begin(kFolders), std::end(kFolders), [&](auto folder) { return path.starts_with(folder); });
}

bool is_emulator(std::string_view path) {
  constexpr std::string_view kPrefix = "/usr/bin/qemu-system-";
  const bool is_named = path == "/usr/libexec/qemu-kvm" || path == "/usr/bin/qemu-kvm" || path == "/usr/bin/kvm";
  return is_named || (path.starts_with(kPrefix) && is_plain(path.substr(kPrefix.size())));
}

struct ValueRule {
  std::vector<std::string_view> choices;  // empty: `allows` decides
  bool (*allows)(std::string_view) = is_plain;

  [[nodiscard]] bool accepts(std::string_view value) const {
    return choices.empty() ? allows(value) : std::find(choices.begin(), choices.end(), value) != choices.end();
  }
};

// --- the outline of allowed_configuration.h ---

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    if (end > begin) {
      parts.push_back(text.substr(begin, end - begin));
    }
    begin = end + 1;
  }
  return parts;
}

struct ElementRule {
  std::map<std::string_view, ValueRule> attributes;
  std::optional<ValueRule> text;
  bool allows_anything = false;
  std::map<std::string_view, const ElementRule*> children;
  std::vector<std::string_view> groups;  // "device": its children are allowed too
};

class Outline {
 public:
  explicit Outline(std::string_view text) {
    std::vector<ElementRule*> open{&top_};  // open[n] takes what is indented by n steps
    for (std::string_view line : split(text, '\n')) {
      const std::size_t indent = line.find_first_not_of(' ');
      if (!goes_on_) {
        open.resize(std::min(indent / 2 + 1, open.size()));
        open.push_back(add(*open.back(), line));
      } else {
        add_words(*open.back(), split(line, ' '));
      }
      goes_on_ = line.ends_with('\\');
    }
  }

  [[nodiscard]] const ElementRule* find(const ElementRule& parent, std::string_view name) const {
    if (const auto found = parent.children.find(name); found != parent.children.end()) {
      return found->second;
    }
    for (const std::string_view group : parent.groups) {
      const ElementRule& shared = *top_.children.at(group);
      if (const auto found = shared.children.find(name); found != shared.children.end()) {
        return found->second;
      }
    }
    return nullptr;
  }
  [[nodiscard]] const ElementRule& domain() const { return *top_.children.at("domain"); }

 private:
  ElementRule* add(ElementRule& parent, std::string_view line) {
    std::vector<std::string_view> words = split(line, ' ');
    ElementRule& rule = rules_.emplace_back();
    for (const std::string_view name : split(words.front(), '|')) {
      parent.children[name] = &rule;
    }
    words.erase(words.begin());
    add_words(rule, words);
    return &rule;
  }

  static void add_words(ElementRule& rule, const std::vector<std::string_view>& words) {
    for (const std::string_view word : words) {
      if (word == "...") {
        rule.allows_anything = true;
      } else if (word.starts_with('+')) {
        rule.groups.push_back(word.substr(1));
      } else if (word.starts_with('#')) {
        rule.text = value_rule(word.substr(1));
      } else if (word != "\\") {
        const std::size_t end = std::min(word.find_first_of("=:"), word.size());
        rule.attributes[word.substr(0, end)] = value_rule(word.substr(end));
      }
    }
  }

  static ValueRule value_rule(std::string_view text) {
    ValueRule rule;
    if (text.starts_with('=')) {
      rule.choices = split(text.substr(1), '|');
      std::replace(rule.choices.begin(), rule.choices.end(), std::string_view("''"), std::string_view());
    } else if (text == ":firmware") {
      rule.allows = is_firmware;
    } else if (text == ":emulator") {
      rule.allows = is_emulator;
    } else if (text == ":any") {
      rule.allows = [](std::string_view) { return true; };
    }
    return rule;
  }

  std::deque<ElementRule> rules_;  // their addresses stay
  ElementRule top_;
  bool goes_on_ = false;
};

// --- walking the document ---

// What a stranger wrote, fit for a terminal.
std::string shown(std::string_view text) {
  constexpr std::size_t kMaxShown = 80;
  std::string result(text.substr(0, kMaxShown));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.size() > kMaxShown ? result + "..." : result;
}

class Walk {
 public:
  // What is of a trusted kind is not counted, so that it cannot fill the list before something else.
  Walk(const Outline& outline, const std::set<RefusalKind>& trusted) : outline_(outline), trusted_(trusted) {}

  void element(xmlNode* node, const ElementRule& rule, const std::string& path) {
    if (rule.allows_anything || is_full()) {
      return;
    }
    attributes(node, rule, path);
    own_text(node, rule, path);
    condition(node, path);
    for (xmlNode* below : xml::children(node)) {
      child(below, rule, path + "/" + shown(xml::name_of(below)));
    }
  }

  [[nodiscard]] std::vector<Refusal> refusals() && { return std::move(refusals_); }

 private:
  [[nodiscard]] bool is_full() const { return refusals_.size() >= kMaxRefusals; }

  void refuse(RefusalKind kind, std::string path, std::string message) {
    if (!is_full() && !trusted_.contains(kind)) {
      refusals_.push_back({kind, std::move(path), std::move(message)});
    }
  }

  // Not on the list: in the words known for it, or in general ones.
  void refuse_unlisted(RefusalKind kind, const std::string& path, const std::string& message) {
    const KnownHarm* const harm = find_known_harm(path);
    if (harm != nullptr) {
      refuse(harm->kind, path, std::string(harm->message));
    } else {
      refuse(kind, path, message);
    }
  }

  void child(xmlNode* node, const ElementRule& parent, const std::string& path) {
    if (node->ns != nullptr) {
      return refuse_namespace(xml::from_xml(node->ns->href), path);
    }
    const ElementRule* const rule = outline_.find(parent, xml::name_of(node));
    if (rule == nullptr) {
      return refuse_unlisted(RefusalKind::kUnknownElement, path, "It is not known to be harmless.");
    }
    element(node, *rule, path);
  }

  // libvirt gives a meaning to elements of other namespaces ("qemu:commandline"), and ignores the prefix of others.
  void refuse_namespace(const std::string& href, const std::string& path) {
    if (href.starts_with("http://libvirt.org/schemas/domain/")) {
      return refuse(RefusalKind::kCommandLine, path, "It changes how the hypervisor is started.");
    }
    refuse(RefusalKind::kUnknownElement, path, "It belongs to the namespace \"" + shown(href) + "\".");
  }

  void attributes(const xmlNode* node, const ElementRule& rule, const std::string& path) {
    for (const xmlAttr* attr = node->properties; attr != nullptr; attr = attr->next) {
      const std::string name = xml::from_xml(attr->name);
      const std::string attribute_path = path + "/@" + shown(name);
      const auto found = rule.attributes.find(name);
      if (found == rule.attributes.end() || attr->ns != nullptr) {
        refuse_unlisted(RefusalKind::kUnknownAttribute, attribute_path, "It is not known to be harmless.");
        continue;
      }
      const xml::XmlString value(xmlNodeListGetString(attr->doc, attr->children, 1));
      check_value(found->second, xml::from_xml(value.get()), attribute_path);
    }
  }

  void own_text(const xmlNode* node, const ElementRule& rule, const std::string& path) {
    if (rule.text) {
      return check_value(*rule.text, xml::text(node), path);
    }
    for (const xmlNode* below = node->children; below != nullptr; below = below->next) {
      const bool is_text = below->type == XML_TEXT_NODE || below->type == XML_CDATA_SECTION_NODE;
      if (is_text && xmlIsBlankNode(below) == 0) {
        return refuse(RefusalKind::kUnexpectedValue, path, "It has text where none is known.");
      }
    }
  }

  void check_value(const ValueRule& rule, const std::string& value, const std::string& path) {
    if (rule.accepts(value)) {
      return;
    }
    const std::string general = "Its value \"" + shown(value) + "\" is not known to be harmless.";
    if (const KnownHarm* const harm = find_known_harm(path)) {
      return refuse(harm->kind, path, std::string(harm->message) + " (\"" + shown(value) + "\")");
    }
    const bool names_path = value.find('/') != std::string::npos;
    refuse(names_path ? RefusalKind::kHostPath : RefusalKind::kUnexpectedValue, path, general);
  }

  // What a list of values cannot say.
  void condition(const xmlNode* node, const std::string& path) {
    if (path == "/domain/os/loader") {
      return check_loader(node, path);
    }
    constexpr std::string_view kPorts[] = {"/domain/devices/serial", "/domain/devices/parallel",
                                           "/domain/devices/console", "/domain/devices/channel"};
    if (std::find(std::begin(kPorts), std::end(kPorts), path) != std::end(kPorts) &&
        xml::has_value(node, "type", "unix")) {
      check_socket(node, path);
    }
  }

  // Flash that can be written to would be the firmware of all machines.
  void check_loader(const xmlNode* loader, const std::string& path) {
    if (xml::has_value(loader, "type", "pflash") && !xml::has_value(loader, "readonly", "yes")) {
      refuse(RefusalKind::kHostPath, path, "The guest could change this firmware: readonly='yes' is missing.");
    }
  }

  // Only channels whose socket libvirt makes: the path is then dropped by the import, and made anew.
  void check_socket(const xmlNode* device, const std::string& path) {
    if (path != "/domain/devices/channel") {
      return refuse(RefusalKind::kCharacterDevice, path + "/@type", std::string(kConnectsPort));
    }
    for (const xmlNode* source : xml::children(device, "source")) {
      const auto socket = xml::attribute(source, "path");
      if (socket && socket->find("/libvirt/qemu/channel/") == std::string::npos) {
        refuse(RefusalKind::kCharacterDevice, path + "/source/@path",
               "It is a socket of this host that libvirt did not make (\"" + shown(*socket) + "\").");
      }
    }
  }

  const Outline& outline_;
  const std::set<RefusalKind>& trusted_;
  std::vector<Refusal> refusals_;
};

std::vector<Refusal> find_untrusted(const std::string& xml, const std::set<RefusalKind>& trusted) {
  static const Outline outline(kAllowedConfiguration);
  const auto document = xml::Document::parse(xml, "domain");
  if (!document) {
    return {{RefusalKind::kMalformed, "/", document.error().describe()}};
  }
  if (document->root()->ns != nullptr) {
    return {{RefusalKind::kMalformed, "/domain", "The root element belongs to a namespace."}};
  }
  Walk walk(outline, trusted);
  walk.element(document->root(), outline.domain(), "/domain");
  return std::move(walk).refusals();
}

std::string list_refusals(const std::vector<Refusal>& refusals) {
  std::string list;
  for (const Refusal& each : refusals) {
    list += fmt::format("{}{} ({}): {}", list.empty() ? "" : " ", each.path, to_string(each.kind), each.message);
  }
  return list;
}

std::string list_kinds(const std::vector<Refusal>& refusals) {
  std::set<std::string_view> kinds;
  for (const Refusal& each : refusals) kinds.insert(to_string(each.kind));
  return fmt::format("{}", fmt::join(kinds, " --trust "));
}

}  // namespace

std::vector<Refusal> find_refusals(const std::string& xml) { return find_untrusted(xml, {}); }

Result<void> check_configuration(const std::string& xml, const std::set<RefusalKind>& trusted) {
  const std::vector<Refusal> refusals = find_untrusted(xml, trusted);
  if (!refusals.empty() && refusals.front().kind == RefusalKind::kMalformed) {
    return fail(ErrorCode::kCorrupt, "{}", refusals.front().message);
  }
  if (!refusals.empty()) {
    return fail(ErrorCode::kUnsupported,
                "The machine configuration asks for more of this host than an import grants: {} Who knows where the "
                "package comes from can allow each kind: --trust {}.",
                list_refusals(refusals), list_kinds(refusals));
  }
  return {};
}

}  // namespace cohort::hypervisor
