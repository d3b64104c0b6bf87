// What clients ask for, and what they are answered: one set of types for both protocols.
//
// A codec reads a Request from bytes, with paths, properties and parameters in their declared types; a server answers
// it with a Response, which the codec writes. Neither says how long anything may take, nor who asks.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cim/class.h"
#include "cim/status.h"

namespace cohort::cim {

// The properties that are wanted; none: all; an empty list: only the path.
using PropertyList = std::optional<std::vector<std::string>>;

// --- which objects
// -----------------------------------------------------------------------------------------------------

// The instances of a class, and of those derived from it.
struct InstancesOf {
  std::string class_name;
  // False: derived instances come without the properties that only the derived class has.
  bool is_deep = true;
  bool is_exact = false;  // no derived classes (WS-Management's PolymorphismMode None)
};

// What is associated with an object; see AssociationQuery for the filters. With a class as source: classes.
struct AssociatorsOf {
  ObjectPath source;
  std::string association_class = {}, result_class = {}, role = {}, result_role = {};
};

// The associations that refer to an object.
struct ReferencesOf {
  ObjectPath source;
  std::string result_class = {}, role = {};
};

// The language has been found to be known by the codec, the text has not been looked at.
struct QueryFor {
  std::string language;
  std::string text;
};

using Selection = std::variant<InstancesOf, AssociatorsOf, ReferencesOf, QueryFor>;

enum class Shape { kInstances, kPaths, kInstancesWithPaths };

// --- requests
// -----------------------------------------------------------------------------------------------------------

struct GetInstance {
  ObjectPath path;
  PropertyList properties = {};
};
struct CreateInstance {
  Instance instance;
};
struct ModifyInstance {
  Instance instance;  // with its path; properties that it does not have stay as they are
  PropertyList properties = {};
};
struct DeleteInstance {
  ObjectPath path;
};

// All at once.
struct ListObjects {
  Selection what;
  Shape shape = Shape::kInstancesWithPaths;
  PropertyList properties = {};
};

// A batch at a time: the answer has a context to pull more with. A timeout that is too long is cut, or refused where
// the answer has no word for what was granted.
struct OpenEnumeration {
  Selection what;
  Shape shape = Shape::kInstancesWithPaths;
  PropertyList properties = {};
  std::string filter_language = {}, filter = {};     // of an InstancesOf; empty: no filter
  std::uint32_t max_objects = 0;                     // 0: none with this answer
  std::optional<std::chrono::seconds> timeout = {};  // how long the context lives between pulls; 0: for ever
  bool may_be_cut = true;                            // the timeout
};
struct PullObjects {
  std::string context;
  std::uint32_t max_objects = 0;
  std::optional<Shape> shape = {};  // of the enumerations that this pull is meant for; nothing: of any
};
struct CloseEnumeration {
  std::string context;
};

struct InvokeMethod {
  ObjectPath path;  // of a class for static methods
  std::string method;
  // Those that were given, in their declared types, by the names as they are declared.
  std::vector<NamedValue> parameters = {};
};

struct GetClass {
  std::string class_name;
  bool is_local_only = true;  // without what is inherited
  bool has_qualifiers = true;
  bool has_class_origin = false;
  PropertyList properties = {};
};
struct EnumerateClasses {
  std::string class_name;  // empty: those without a superclass
  bool is_deep = false;
  bool is_local_only = true;
  bool has_qualifiers = true;
  bool has_class_origin = false;
};
struct EnumerateClassNames {
  std::string class_name;
  bool is_deep = false;
};
struct GetQualifier {
  std::string name;
};
struct EnumerateQualifiers {};

using Operation = std::variant<GetInstance, CreateInstance, ModifyInstance, DeleteInstance, ListObjects,
                               OpenEnumeration, PullObjects, CloseEnumeration, InvokeMethod, GetClass, EnumerateClasses,
                               EnumerateClassNames, GetQualifier, EnumerateQualifiers>;

struct Request {
  std::string namespace_name;
  Operation operation;
};

// --- responses
// ----------------------------------------------------------------------------------------------------------

struct Done {};  // of modify, delete, close

// Of GetInstance (one), ListObjects, OpenEnumeration and PullObjects; Shape::kPaths: only the paths are there.
struct Objects {
  std::vector<Instance> instances;
  Shape shape = Shape::kInstancesWithPaths;
  std::string context;  // of an enumeration that goes on
  bool is_end_of_sequence = true;
  std::chrono::seconds idle{};  // how long the context lives between pulls
};
struct CreatedInstance {
  ObjectPath path;
};
struct MethodResult {
  Value return_value;
  std::vector<NamedValue> out;  // in the declared types; NULL parameters may be left out
};
struct Classes {
  std::vector<Class> classes;
};
struct ClassNames {
  std::vector<std::string> names;
};
struct QualifierTypes {
  std::vector<QualifierType> types;
};
struct OperationFailed {
  Status status = Status::kFailed;
  std::string description;
  std::vector<Instance> errors;  // of CIM_Error, may be empty
};

using Response =
    std::variant<Done, Objects, CreatedInstance, MethodResult, Classes, ClassNames, QualifierTypes, OperationFailed>;

}  // namespace cohort::cim
