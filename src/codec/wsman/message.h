// WS-Management (DSP0226, DSP0227, MS-WSMV): the envelope of a request to a CIM operation, and a response to an
// envelope.
//
// Threads: the functions keep nothing; a ListReply belongs to one at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "cim/operation.h"
#include "cim/schema.h"
#include "codec/wsman/class_list.h"
#include "codec/wsman/resource_uri.h"

namespace cohort::codec::wsman {

// A SOAP fault. All are sent with HTTP status 500, since there are clients that read no other.
struct Fault {
  struct ElementName {
    std::string namespace_uri, local;
  };

  std::string subcode;          // "wsman:InvalidSelectors", "wsa:ActionNotSupported", "wsen:…": prefix and name
  std::string reason;           // for people
  std::string detail = {};      // the last part of the URI of a wsman:FaultDetail; may be empty
  bool is_of_receiver = false;  // s:Receiver instead of s:Sender
  std::optional<ElementName> not_understood = {};  // of s:MustUnderstand: the header
};

struct Header {
  std::string action;
  std::string message_id;  // may be empty: Identify needs none
  std::string resource_uri;
  UriFamily family = UriFamily::kWmi;  // the answer's URIs are of the same
  std::string namespace_name;
  std::size_t max_envelope_bytes = std::size_t{150} << 10U;  // in UTF-8, whatever the answer is sent in
  std::optional<std::chrono::microseconds> timeout;          // how long the client waits
  bool has_precise_arrays = false;  // whether it reads NULL and empty arrays as Windows writes them
};

struct Identify {};

struct Call {
  Header header;
  std::variant<Identify, cim::Request> operation;
  std::string derivation = {};  // of GetClass: the superclasses of the class, the nearest first, with commas between
  // Of an Enumerate: how long its context shall live, where that is said. Clients that do not ask are not told
  // (ListReply::grant), since there are some that know no such element.
  std::optional<std::chrono::seconds> expires = {};
  // Of InvokeMethod: the parameters in whose answer instances are the text of INSTANCE, as Windows has them in strings.
  // Where CIMType says "object:…" it has no string, and they are elements.
  std::vector<std::string> text_parameters = {};
  // Of Enumerate, Pull and Release of class declarations: where the list goes on. The operation is the EnumerateClasses
  // that lists all of it; of a Release, a CloseEnumeration that nobody has to carry out.
  std::optional<ClassList> class_list = {};
};

// A request that cannot be done, with as much of its header as was read, to answer it.
struct Refusal {
  Header header;
  Fault fault;
};

// Reads a request. Paths, instances and parameters are in the types that the schema declares. Accepted are all
// prefixes, both families of URIs, headers of MS-WSMV and others that need not be understood, and _INPUT in any
// namespace. Enumerate becomes OpenEnumeration: not optimised, with no objects; optimised, with MaxElements or one.
// Pull becomes PullObjects, of one object unless MaxElements says otherwise.
[[nodiscard]] tl::expected<Call, Refusal> read_request(std::string_view body, std::string_view charset,
                                                       const cim::Schema& schema);

// What stands in the replies of this server.
struct Server {
  std::string vendor, version;
};

// `message_id` is new for each reply: "uuid:…".
[[nodiscard]] std::string identify_reply(const Server& server);
[[nodiscard]] std::string fault_reply(const Header& header, const Fault& fault, std::string_view message_id);

// The reply to anything but Enumerate, Pull and Identify. OperationFailed becomes a fault.
// REQUIRES: the response is of a kind that the request may be answered with.
[[nodiscard]] std::string reply(const Call& call, const cim::Response& response, std::string_view message_id);

// The reply to Enumerate or Pull, object by object.
class ListReply {
 public:
  explicit ListReply(Header header) : header_(std::move(header)) {}

  // False: the client's envelope has no room for the object.
  [[nodiscard]] bool add(const cim::Instance& object, cim::Shape shape);
  // With the line of its superclasses, from which Windows makes its own.
  [[nodiscard]] bool add(const cim::Class& object, const cim::ClassStore& store, cim::Shape shape);
  // How long the context lives between pulls, which the reply to an Enumerate names then.
  void grant(std::chrono::seconds time) { granted_ = time; }
  // Whether not even the first object has room. Then the reply is a fault.
  [[nodiscard]] bool is_too_small() const { return items_.empty() && has_refused_; }
  // `context` is what the client goes on with: it is in the envelope unless `is_end` says that no more will come.
  [[nodiscard]] std::string envelope(bool is_end, std::string_view context, std::string_view message_id) const;

 private:
  [[nodiscard]] bool add(const std::string& item);

  Header header_;
  std::string items_;
  std::optional<std::chrono::seconds> granted_;
  bool has_refused_ = false;
};

// The reply to Enumerate or Pull of class declarations: those whose turn it is, as far as there is room. A fault if
// there is none for the first of them. REQUIRES: the call has a class list, and `all` is what it lists.
[[nodiscard]] tl::expected<std::string, Fault> class_list_reply(const Call& call, const cim::Classes& all,
                                                                const cim::ClassStore& store,
                                                                std::string_view message_id);

// What a failed operation is as a fault.
[[nodiscard]] Fault fault_of(const cim::OperationFailed& failed, const cim::Operation& operation);

}  // namespace cohort::codec::wsman
