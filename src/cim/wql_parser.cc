#include <array>

#include "cim/object_path.h"
#include "cim/value_text.h"
#include "cim/wql.h"
#include "cim/wql_lexer.h"

namespace cohort::cim {
namespace {

using Kind = WqlToken::Kind;

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxParts = 1000;

struct Operator {
  std::string_view symbol;
  Comparison comparison;
  Comparison mirrored;  // what holds when the sides are exchanged
};
constexpr std::array<Operator, 7> kOperators = {{{"=", Comparison::kEqual, Comparison::kEqual},
                                                 {"<>", Comparison::kNotEqual, Comparison::kNotEqual},
                                                 {"!=", Comparison::kNotEqual, Comparison::kNotEqual},
                                                 {"<", Comparison::kLess, Comparison::kGreater},
                                                 {">", Comparison::kGreater, Comparison::kLess},
                                                 {"<=", Comparison::kNotGreater, Comparison::kNotLess},
                                                 {">=", Comparison::kNotLess, Comparison::kNotGreater}}};

class Parser {
 public:
  Parser(std::vector<WqlToken> tokens, std::string_view server_name)
      : tokens_(std::move(tokens)), server_name_(server_name) {}

  Result<Query> query() {
    Query parsed;
    if (take_word("select")) {
      COHORT_ASSIGN(parsed, select());
    } else if (take_word("associators")) {
      COHORT_ASSIGN(parsed, association(false));
    } else if (take_word("references")) {
      COHORT_ASSIGN(parsed, association(true));
    } else {
      return wrong("SELECT, ASSOCIATORS or REFERENCES expected");
    }
    if (next().kind != Kind::kEnd) return wrong("the end expected");
    return parsed;
  }

 private:
  [[nodiscard]] const WqlToken& next() const { return tokens_[at_]; }
  [[nodiscard]] Failure wrong(std::string_view what) const { return wrong_wql(next().offset, what); }
  [[nodiscard]] bool is_word(std::string_view word) const {
    return next().kind == Kind::kWord && same_name(next().text, word);
  }
  bool take_word(std::string_view word) {
    const bool is_it = is_word(word);
    if (is_it) ++at_;
    return is_it;
  }
  bool take_symbol(std::string_view symbol) {
    const bool is_it = next().kind == Kind::kSymbol && next().text == symbol;
    if (is_it) ++at_;
    return is_it;
  }
  Result<std::string> name(std::string_view what) {
    if (next().kind != Kind::kWord) return wrong(fmt::format("{} expected", what));
    return tokens_[at_++].text;
  }

  Result<Query> select() {
    SelectQuery query;
    if (!take_symbol("*")) {
      query.properties.emplace();
      do {
        COHORT_ASSIGN(std::string property, property_name());
        if (query.properties->size() == kMaxParts) return wrong("fewer properties expected");
        query.properties->push_back(std::move(property));
      } while (take_symbol(","));
    }
    if (!take_word("from")) return wrong("FROM expected");
    COHORT_ASSIGN(query.class_name, name("the name of a class"));
    if (take_word("where")) {
      COHORT_ASSIGN(query.where, disjunction());
    }
    return Query(std::move(query));
  }

  // A property may have its class before it, as in CQL; there is one class only.
  Result<std::string> property_name() {
    COHORT_ASSIGN(std::string property, name("the name of a property"));
    if (take_symbol(".")) return name("the name of a property");
    return property;
  }

  Result<Condition> disjunction() {
    if (++depth_ > kMaxDepth) return wrong("the conditions are nested too deep");
    COHORT_ASSIGN(Condition first, conjunction());
    Condition all{Condition::Kind::kOr, {std::move(first)}, {}, {}, {}};
    while (take_word("or")) {
      COHORT_ASSIGN(Condition each, conjunction());
      all.operands.push_back(std::move(each));
    }
    --depth_;
    return all.operands.size() == 1 ? std::move(all.operands.front()) : std::move(all);
  }

  Result<Condition> conjunction() {
    COHORT_ASSIGN(Condition first, negation());
    Condition all{Condition::Kind::kAnd, {std::move(first)}, {}, {}, {}};
    while (take_word("and")) {
      COHORT_ASSIGN(Condition each, negation());
      all.operands.push_back(std::move(each));
    }
    return all.operands.size() == 1 ? std::move(all.operands.front()) : std::move(all);
  }

  Result<Condition> negation() {
    bool is_negated = false;
    while (take_word("not")) is_negated = !is_negated;
    COHORT_ASSIGN(Condition inner, primary());
    if (!is_negated) return inner;
    return Condition{Condition::Kind::kNot, {std::move(inner)}, {}, {}, {}};
  }

  Result<Condition> primary() {
    if (!take_symbol("(")) return comparison();
    COHORT_ASSIGN(Condition inner, disjunction());
    if (!take_symbol(")")) return wrong("\")\" expected");
    return inner;
  }

  // property operator constant, or constant operator property
  Result<Condition> comparison() {
    if (++parts_ > kMaxParts) return wrong("the condition has too many parts");
    Condition condition;
    if (next().kind != Kind::kWord || is_constant_word()) return mirrored_comparison();
    COHORT_ASSIGN(condition.property, property_name());
    if (take_word("is")) {
      condition.comparison = take_word("not") ? Comparison::kIsNotNull : Comparison::kIsNull;
      if (!take_word("null")) return wrong("NULL expected");
      return condition;
    }
    const bool is_negated = take_word("not");
    COHORT_ASSIGN(condition.comparison, word_or_symbol(is_negated));
    COHORT_ASSIGN(condition.constant, constant(condition.comparison));
    condition.comparison = with_null(condition);
    if (!is_negated) return condition;
    return Condition{Condition::Kind::kNot, {std::move(condition)}, {}, {}, {}};
  }

  Result<Condition> mirrored_comparison() {
    Condition condition;
    COHORT_ASSIGN(condition.constant, constant(Comparison::kEqual));
    const Operator* const found = take_operator();
    if (found == nullptr) return wrong("an operator expected");
    COHORT_ASSIGN(condition.property, property_name());
    condition.comparison = found->mirrored;
    condition.comparison = with_null(condition);
    return condition;
  }

  // WMI takes "= NULL" for "IS NULL".
  static Comparison with_null(const Condition& condition) {
    if (!condition.constant.is_null()) return condition.comparison;
    if (condition.comparison == Comparison::kEqual) return Comparison::kIsNull;
    return condition.comparison == Comparison::kNotEqual ? Comparison::kIsNotNull : condition.comparison;
  }

  const Operator* take_operator() {
    for (const Operator& each : kOperators) {
      if (take_symbol(each.symbol)) return &each;
    }
    return nullptr;
  }

  Result<Comparison> word_or_symbol(bool is_negated) {
    if (take_word("like")) return Comparison::kLike;
    if (!is_negated && take_word("isa")) return Comparison::kIsA;
    const Operator* const found = is_negated ? nullptr : take_operator();
    if (found == nullptr) return wrong("an operator expected");
    return found->comparison;
  }

  [[nodiscard]] bool is_constant_word() const {
    return is_word("true") || is_word("false") || is_word("null") || is_word("__server");
  }

  Result<Value> constant(Comparison comparison) {
    const WqlToken& token = next();
    if (token.kind == Kind::kString) return ++at_, Value(token.text);
    if (token.kind == Kind::kNumber) return number();
    if (take_word("true")) return Value(true);
    if (take_word("false")) return Value(false);
    if (take_word("null")) return Value();
    if (take_word("__server")) return Value(server_name_);
    if (comparison == Comparison::kIsA && token.kind == Kind::kWord) return ++at_, Value(token.text);
    return wrong("a constant expected");
  }

  Result<Value> number() {
    for (const Type type : {Type::kSint64, Type::kUint64, Type::kReal64}) {
      if (auto element = parse_element(type, next().text)) {
        ++at_;
        return Value(*std::move(element));
      }
    }
    return wrong("a number expected");
  }

  Result<Query> association(bool is_references) {
    AssociationQuery query;
    query.is_references = is_references;
    if (!take_word("of")) return wrong("OF expected");
    if (next().kind != Kind::kPath) return wrong("a path in braces expected");
    auto path = parse_object_path(next().text);
    if (!path) return wrong(path.error().message);
    query.source = *std::move(path);
    ++at_;
    if (!take_word("where")) return Query(std::move(query));
    if (next().kind == Kind::kEnd) return wrong("a clause expected");
    while (next().kind != Kind::kEnd) COHORT_TRY(clause(query));
    return Query(std::move(query));
  }

  Result<void> clause(AssociationQuery& query) {
    const std::array<std::pair<std::string_view, bool*>, 3> switches = {
        {{"SchemaOnly", &query.is_schema_only},
         {"ClassDefsOnly", &query.are_class_definitions_only},
         {"KeysOnly", &query.are_keys_only}}};
    for (const auto& [word, target] : switches) {
      if (take_word(word)) return *target = true, Result<void>();
    }
    const std::array<std::pair<std::string_view, std::string*>, 6> clauses = {
        {{"ResultClass", &query.result_class},
         {"Role", &query.role},
         {"RequiredQualifier", &query.required_qualifier},
         {"AssocClass", &query.association_class},
         {"ResultRole", &query.result_role},
         {"RequiredAssocQualifier", &query.required_association_qualifier}}};
    for (std::size_t i = 0; i < (query.is_references ? 3 : clauses.size()); ++i) {
      if (!take_word(clauses[i].first)) continue;
      if (!take_symbol("=")) return wrong("\"=\" expected");
      if (!clauses[i].second->empty()) return wrong("this clause is there twice");
      COHORT_ASSIGN(*clauses[i].second, name("a name"));
      return {};
    }
    return wrong("there is no such clause here");
  }

  std::vector<WqlToken> tokens_;
  std::string_view server_name_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::size_t parts_ = 0;
};

}  // namespace

Result<Query> parse_wql(std::string_view query, std::string_view server_name) {
  COHORT_ASSIGN(std::vector<WqlToken> tokens, split_wql(query));
  return Parser(std::move(tokens), server_name).query();
}

}  // namespace cohort::cim
