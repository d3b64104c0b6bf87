// WQL: the query language of WMI clients, also accepted as CIM-XML's "WQL" and, for its common part, "DMTF:CQL".
//
//   SELECT * | a, b FROM Class [WHERE condition]
//   ASSOCIATORS OF {path} [WHERE clauses]      REFERENCES OF {path} [WHERE clauses]
//
// Conditions: = <> != < > <= >= between a property and a constant, LIKE, IS [NOT] NULL, ISA, AND, OR, NOT, parentheses.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "cim/class_store.h"

namespace cohort::cim {

enum class Comparison { kEqual, kNotEqual, kLess, kGreater, kNotGreater, kNotLess, kLike, kIsNull, kIsNotNull, kIsA };

// A tree: either an operator over other conditions, or a comparison.
struct Condition {
  enum class Kind { kComparison, kAnd, kOr, kNot };
  Kind kind = Kind::kComparison;
  std::vector<Condition> operands;  // of and, or (any number), not (one)
  std::string property;             // of a comparison; "__CLASS" and "__THIS" are the instance's class
  Comparison comparison = Comparison::kEqual;
  Value constant;
};

struct SelectQuery {
  std::optional<std::vector<std::string>> properties;  // none: all
  std::string class_name;
  std::optional<Condition> where;
};

// ASSOCIATORS OF and REFERENCES OF: the source, and what of it is wanted.
struct AssociationQuery {
  bool is_references = false;
  ObjectPath source;
  std::string association_class;  // AssocClass; empty: any, as with all that follow
  std::string result_class;
  std::string role;         // of the source in the association
  std::string result_role;  // of what is found
  std::string required_qualifier;
  std::string required_association_qualifier;
  bool is_schema_only = false;
  bool are_class_definitions_only = false;
  bool are_keys_only = false;
};

using Query = std::variant<SelectQuery, AssociationQuery>;

// `server_name` is what __SERVER stands for.
// Fails with kInvalidArgument, with the place in the query; conditions may be nested 64 deep and have 1000 parts.
[[nodiscard]] Result<Query> parse_wql(std::string_view query, std::string_view server_name = {});

// True if the instance fulfils the condition. A comparison with NULL, with a property that is not there, or between
// types that cannot be compared is unknown, and so is its negation (SQL's three values); unknown does not fulfil.
// Text compares without regard to the case of ASCII letters, as in WMI. ISA and __CLASS look into the store.
[[nodiscard]] bool fulfils(const Instance& instance, const Condition& condition, const ClassStore& store);

// Fails with kInvalidArgument if the query names a class or, in its list or condition, a property that is not there.
[[nodiscard]] Result<void> check_query(const SelectQuery& query, const ClassStore& store);

// LIKE: % any text, _ one character, [abc] [a-z] one of them, [^abc] none of them. Case does not matter.
// Takes time in proportion to the product of both lengths at most.
[[nodiscard]] bool is_like(std::string_view text, std::string_view pattern);

}  // namespace cohort::cim
