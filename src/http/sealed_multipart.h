// Bodies that are sealed by a security context: MS-WSMV 2.2.9.1, "multipart/encrypted".
//
//   --Encrypted Boundary
//   <TAB>Content-Type: application/HTTP-SPNEGO-session-encrypted
//   <TAB>OriginalContent: type=application/soap+xml;charset=UTF-8;Length=1329
//   --Encrypted Boundary
//   <TAB>Content-Type: application/octet-stream
//   <32 bits, little endian: the length of the token's header><header><sealed data>--Encrypted Boundary--
//
// There are clients with and without the tabs, and each understands only its own way.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cohort::http {

struct SealedForm {
  std::string protocol;  // "application/HTTP-SPNEGO-session-encrypted"
  bool has_tabs = true;
};

struct SealedPart {
  std::string_view content_type;  // of what is sealed, as the sender says
  std::string_view token;         // header and data, one after the other
};

struct SealedBody {
  SealedForm form;
  std::vector<SealedPart> parts;
};

// Whether a header Content-Type announces such a body.
[[nodiscard]] bool is_sealed(std::string_view content_type);

// The parts are in `body`. Fails with kCorrupt (it is none) and kUnsupported (a protocol that is neither SPNEGO's nor
// Kerberos').
[[nodiscard]] Result<SealedBody> read_sealed(std::string_view content_type, std::string_view body);

// What a security context makes of a text.
struct Sealed {
  std::string header, data;
};

// A body is the parts, written one after the other, and the end.
[[nodiscard]] std::string write_sealed_part(const SealedForm& form, std::string_view content_type, std::size_t length,
                                            const Sealed& sealed);
[[nodiscard]] std::string_view sealed_end();
[[nodiscard]] std::string sealed_content_type(const SealedForm& form);

}  // namespace cohort::http
