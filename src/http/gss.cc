#include "http/gss.h"

#include <fmt/format.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/big_endian.h"

namespace cohort::http {
namespace {

// GSSAPI's object identifiers are pointers to what it never writes to.
// NOLINTBEGIN(*-const-cast)
gss_OID_desc oid(std::string_view bytes) {
  return {static_cast<OM_uint32>(bytes.size()), const_cast<char*>(bytes.data())};
}
gss_buffer_desc buffer_of(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }
// NOLINTEND(*-const-cast)

gss_OID_desc g_spnego = oid("\x2b\x06\x01\x05\x05\x02");
gss_OID_desc g_kerberos = oid("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02");
gss_OID_desc g_ntlm = oid("\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a");

bool is_same(const gss_OID_desc& a, const gss_OID_desc& b) {
  return std::string_view(static_cast<const char*>(a.elements), a.length) ==
         std::string_view(static_cast<const char*>(b.elements), b.length);
}

// What GSSAPI has allocated.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    OM_uint32 ignored = 0;
    ::gss_release_buffer(&ignored, &buffer_);
  }
  [[nodiscard]] gss_buffer_t out() { return &buffer_; }
  [[nodiscard]] std::string_view view() const { return {static_cast<const char*>(buffer_.value), buffer_.length}; }

 private:
  gss_buffer_desc buffer_ = GSS_C_EMPTY_BUFFER;
};

class Name {
 public:
  Name() = default;
  Name(const Name&) = delete;
  Name& operator=(const Name&) = delete;
  ~Name() {
    OM_uint32 ignored = 0;
    ::gss_release_name(&ignored, &name_);
  }
  [[nodiscard]] gss_name_t* out() { return &name_; }
  // Empty if it cannot be shown.
  [[nodiscard]] std::string shown() const {
    Buffer text;
    OM_uint32 minor = 0;
    if (::gss_display_name(&minor, name_, text.out(), nullptr) != GSS_S_COMPLETE) return {};
    std::string_view name = text.view();
    if (name.ends_with('\0')) name.remove_suffix(1);  // gss-ntlmssp counts it
    return name.find('\0') == std::string_view::npos ? std::string(name) : "";
  }

 private:
  gss_name_t name_ = GSS_C_NO_NAME;
};

class Credentials {
 public:
  Credentials() = default;
  Credentials(Credentials&& other) noexcept : cred_(std::exchange(other.cred_, GSS_C_NO_CREDENTIAL)) {}
  Credentials& operator=(Credentials&&) = delete;
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
  ~Credentials() {
    OM_uint32 ignored = 0;
    ::gss_release_cred(&ignored, &cred_);
  }
  [[nodiscard]] gss_cred_id_t* out() { return &cred_; }
  [[nodiscard]] gss_cred_id_t get() const { return cred_; }

 private:
  gss_cred_id_t cred_ = GSS_C_NO_CREDENTIAL;
};

std::string text_of(OM_uint32 status, int kind, gss_OID mechanism) {
  OM_uint32 minor = 0, next = 0;
  Buffer text;
  if (::gss_display_status(&minor, status, kind, mechanism, &next, text.out()) != GSS_S_COMPLETE) return {};
  return std::string(text.view());
}

Failure failed(ErrorCode code, std::string message, OM_uint32 major, OM_uint32 minor, gss_OID mechanism) {
  Error error{code, std::move(message), text_of(major, GSS_C_GSS_CODE, mechanism), {}};
  if (minor != 0) error.cause += fmt::format("; {}", text_of(minor, GSS_C_MECH_CODE, mechanism));
  return Failure{std::move(error)};
}

// RFC 4121 4.2.6.2: the sequence number stands in the header of a sealed token.
std::optional<std::uint64_t> kerberos_sequence(std::string_view token) {
  if (token.size() < 16 || !token.starts_with("\x05\x04")) return std::nullopt;
  return big_endian<std::uint64_t>(token, 8);
}

class GssContext final : public SecurityContext {
 public:
  GssContext(const Credentials& credentials, const GssOptions& options, const Clock& clock, std::string binding)
      : credentials_(credentials), options_(options), clock_(clock), binding_(std::move(binding)) {}
  GssContext(const GssContext&) = delete;
  GssContext& operator=(const GssContext&) = delete;
  ~GssContext() override {
    OM_uint32 ignored = 0;
    ::gss_delete_sec_context(&ignored, &context_, GSS_C_NO_BUFFER);
  }

  Result<Step> accept(std::string_view token) override {
    gss_buffer_desc input = buffer_of(token);
    gss_channel_bindings_struct bindings{};
    bindings.application_data = buffer_of(binding_);
    Name name;
    Buffer output;
    OM_uint32 minor = 0, flags = 0, lifetime = 0;
    gss_OID mechanism = GSS_C_NO_OID;
    const OM_uint32 major = ::gss_accept_sec_context(&minor, &context_, credentials_.get(), &input,
                                                     binding_.empty() ? GSS_C_NO_CHANNEL_BINDINGS : &bindings,
                                                     name.out(), &mechanism, output.out(), &flags, &lifetime, nullptr);
    if (GSS_ERROR(major)) {
      return failed(ErrorCode::kPermission, "The client was not authenticated.", major, minor, mechanism);
    }
    const bool is_complete = (major & GSS_S_CONTINUE_NEEDED) == 0;
    if (is_complete) {
      COHORT_TRY(complete(name, flags, lifetime));
    }
    return Step{std::string(output.view()), is_complete};
  }

  std::string name() const override { return name_; }
  bool has_expired() const override { return end_ && clock_.steady() >= *end_; }

  Result<std::string> unseal(std::string_view token) override {
    COHORT_TRY(check_order(token));
    gss_buffer_desc input = buffer_of(token);
    Buffer output;
    OM_uint32 minor = 0;
    int is_confidential = 0;
    const OM_uint32 major = ::gss_unwrap(&minor, context_, &input, output.out(), &is_confidential, nullptr);
    // Supplementary bits tell of what came twice or out of order.
    if (major != GSS_S_COMPLETE) {
      return failed(ErrorCode::kPermission, "A sealed message was refused.", major, minor, mechanism_);
    }
    if (is_confidential == 0) return fail(ErrorCode::kPermission, "A message was signed, but not sealed.");
    return std::string(output.view());
  }

  Result<Sealed> seal(std::string_view text) override {
    return is_same(*mechanism_, g_kerberos) ? seal_in_place(text) : seal_whole(text);
  }

 private:
  Result<void> complete(const Name& name, OM_uint32 flags, OM_uint32 lifetime) {
    OM_uint32 minor = 0;
    gss_OID mechanism = GSS_C_NO_OID;
    const OM_uint32 major =
        ::gss_inquire_context(&minor, context_, nullptr, nullptr, nullptr, &mechanism, nullptr, nullptr, nullptr);
    if (major != GSS_S_COMPLETE) {
      return failed(ErrorCode::kPermission, "A security context cannot be looked at.", major, minor, mechanism);
    }
    const bool is_wanted =
        (options_.kerberos && is_same(*mechanism, g_kerberos)) || (options_.ntlm && is_same(*mechanism, g_ntlm));
    name_ = name.shown();
    if (!is_wanted || name_.empty() || (flags & GSS_C_ANON_FLAG) != 0) {
      return fail(ErrorCode::kPermission, "The client negotiated what is not offered, or did not say who it is.");
    }
    mechanism_ = mechanism;
    if (lifetime != GSS_C_INDEFINITE) end_ = clock_.steady() + std::chrono::seconds(lifetime);
    return {};
  }

  // Kerberos looks for repetitions only where the client has asked for it. NTLM cannot unseal out of order.
  Result<void> check_order(std::string_view token) {
    if (!is_same(*mechanism_, g_kerberos)) return {};
    const auto sequence = kerberos_sequence(token);
    if (!sequence || (last_sequence_ && *sequence <= *last_sequence_)) {
      return fail(ErrorCode::kPermission, "A sealed message came twice, out of order, or with an outdated cipher.");
    }
    last_sequence_ = sequence;
    return {};
  }

  // As Windows wants it: all but the data in front (its token is as long as its signature).
  Result<Sealed> seal_in_place(std::string_view text) {
    Sealed sealed{{}, std::string(text)};
    std::array<gss_iov_buffer_desc, 3> parts{};
    parts[0].type = GSS_IOV_BUFFER_TYPE_HEADER | GSS_IOV_BUFFER_FLAG_ALLOCATE;
    parts[1].type = GSS_IOV_BUFFER_TYPE_DATA;
    parts[1].buffer = {sealed.data.size(), sealed.data.data()};
    parts[2].type = GSS_IOV_BUFFER_TYPE_PADDING | GSS_IOV_BUFFER_FLAG_ALLOCATE;
    OM_uint32 minor = 0;
    int is_confidential = 0;
    const OM_uint32 major =
        ::gss_wrap_iov(&minor, context_, 1, GSS_C_QOP_DEFAULT, &is_confidential, parts.data(), parts.size());
    if (major == GSS_S_COMPLETE) {
      sealed.header.assign(static_cast<const char*>(parts[0].buffer.value), parts[0].buffer.length);
      sealed.data.append(static_cast<const char*>(parts[2].buffer.value), parts[2].buffer.length);
    }
    OM_uint32 ignored = 0;
    ::gss_release_iov_buffer(&ignored, parts.data(), parts.size());
    COHORT_TRY(check_sealed(major, minor, is_confidential));
    return sealed;
  }

  Result<Sealed> seal_whole(std::string_view text) {
    gss_buffer_desc input = buffer_of(text);
    Buffer output;
    OM_uint32 minor = 0;
    int is_confidential = 0;
    const OM_uint32 major = ::gss_wrap(&minor, context_, 1, GSS_C_QOP_DEFAULT, &input, &is_confidential, output.out());
    COHORT_TRY(check_sealed(major, minor, is_confidential));
    const std::string_view token = output.view();
    const std::size_t header = token.size() - std::min(token.size(), text.size());
    return Sealed{std::string(token.substr(0, header)), std::string(token.substr(header))};
  }

  Result<void> check_sealed(OM_uint32 major, OM_uint32 minor, int is_confidential) {
    if (major != GSS_S_COMPLETE) {
      return failed(ErrorCode::kPermission, "A message cannot be sealed.", major, minor, mechanism_);
    }
    if (is_confidential == 0) return fail(ErrorCode::kPermission, "The client has negotiated no sealing.");
    return {};
  }

  const Credentials& credentials_;
  const GssOptions& options_;
  const Clock& clock_;
  const std::string binding_;
  gss_ctx_id_t context_ = GSS_C_NO_CONTEXT;
  gss_OID mechanism_ = GSS_C_NO_OID;
  std::string name_;
  std::optional<SteadyTime> end_;
  std::optional<std::uint64_t> last_sequence_;
};

class GssProvider final : public SecurityProvider {
 public:
  GssProvider(GssOptions options, const Clock& clock, Credentials credentials)
      : options_(std::move(options)), clock_(clock), credentials_(std::move(credentials)) {
    if (options_.kerberos) schemes_.emplace_back("Kerberos");
  }

  std::unique_ptr<SecurityContext> begin(const Peer& peer) override {
    return std::make_unique<GssContext>(credentials_, options_, clock_, peer.channel_binding);
  }
  const std::vector<std::string>& schemes() const override { return schemes_; }

 private:
  const GssOptions options_;
  const Clock& clock_;
  const Credentials credentials_;
  std::vector<std::string> schemes_{"Negotiate"};
};

// Keys and passwords are nobody else's.
Result<void> check_private(const Path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return Failure{system_error(errno, fmt::format("\"{}\" cannot be read.", path.string()))};
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return {};
  return fail(ErrorCode::kPermission, "\"{0}\" is open to others; run: chmod 600 \"{0}\"", path.string());
}

// Where keys and users lie is said by the environment: gss-ntlmssp 1.2 crashes when it is handed a credential store.
Result<Credentials> acquire(gss_OID_set_desc& mechanisms, std::string_view what) {
  Credentials credentials;
  OM_uint32 minor = 0;
  const OM_uint32 major = ::gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanisms, GSS_C_ACCEPT,
                                             credentials.out(), nullptr, nullptr);
  if (major == GSS_S_COMPLETE) return credentials;
  return failed(ErrorCode::kUnsupported, fmt::format("{} cannot be offered.", what), major, minor, mechanisms.elements);
}

Result<void> check_mechanism(gss_OID_desc& mechanism, std::string_view what) {
  gss_OID_set_desc only{1, &mechanism};
  COHORT_TRY(acquire(only, what));
  return {};
}

Result<void> offer_kerberos(const Path& keytab) {
  if (!keytab.empty()) {
    COHORT_TRY(check_private(keytab));
    ::setenv("KRB5_KTNAME", keytab.c_str(), 1);
  }
  return check_mechanism(g_kerberos, "Kerberos");
}

Result<void> offer_ntlm(const Path& users) {
  COHORT_TRY(check_private(users));
  ::setenv("NTLM_USER_FILE", users.c_str(), 1);
  return check_mechanism(g_ntlm, "NTLM");
}

}  // namespace

Result<std::unique_ptr<SecurityProvider>> open_gss(const GssOptions& options, const Clock& clock) {
  std::vector<gss_OID_desc> mechanisms;
  if (options.kerberos) {
    COHORT_TRY(offer_kerberos(options.keytab));
    mechanisms.push_back(g_kerberos);
  }
  if (options.ntlm) {
    COHORT_TRY(offer_ntlm(options.ntlm_users));
    mechanisms.push_back(g_ntlm);
  }
  gss_OID_set_desc negotiated{mechanisms.size(), mechanisms.data()};
  auto all = mechanisms;
  all.push_back(g_spnego);
  gss_OID_set_desc accepted{all.size(), all.data()};
  COHORT_ASSIGN(Credentials credentials, acquire(accepted, "Negotiate"));
  OM_uint32 minor = 0;
  if (const OM_uint32 major = ::gss_set_neg_mechs(&minor, credentials.get(), &negotiated); major != GSS_S_COMPLETE) {
    return failed(ErrorCode::kUnsupported, "Negotiate cannot be offered.", major, minor, &g_spnego);
  }
  return std::make_unique<GssProvider>(options, clock, std::move(credentials));
}

}  // namespace cohort::http
