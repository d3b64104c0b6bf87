#include "cim/mof.h"

#include <algorithm>

#include "cim/mof_reader.h"
#include "cim/value_text.h"

namespace cohort::cim {
namespace {

using Kind = MofToken::Kind;

class Compiler {
 public:
  Compiler(std::string_view file, std::string_view text, ClassStore& store) : reader_(file, text), store_(store) {}

  Result<void> compile() {
    COHORT_TRY(reader_.begin());
    while (!reader_.at_end()) COHORT_TRY(declaration());
    return {};
  }

 private:
  Result<void> declaration() {
    const std::size_t begin = reader_.token().offset;
    if (reader_.token().kind == Kind::kPragma) return pragma();
    if (reader_.is_word("qualifier")) {
      COHORT_ASSIGN(QualifierType type, qualifier_type());
      return placed(store_.add(std::move(type)), begin);
    }
    COHORT_ASSIGN(std::vector<Qualifier> list, qualifiers());
    if (!reader_.is_word("class")) return reader_.wrong("\"class\", \"qualifier\" or \"#pragma\" expected");
    const std::size_t class_begin = reader_.token().offset;
    COHORT_ASSIGN(Class declared, class_declaration());
    declared.qualifiers = std::move(list);
    return placed(store_.add(std::move(declared)), class_begin);
  }

  // What the store has to say belongs to a place in the text.
  [[nodiscard]] Result<void> placed(Result<void> added, std::size_t offset) const {
    if (added) return added;
    Error error = std::move(added).error();
    error.message = reader_.wrong_at(offset, error.message).value().message;
    return Failure(std::move(error));
  }

  // #pragma name ("value")
  Result<void> pragma() {
    if (!same_name(reader_.token().text, "#pragma")) return reader_.wrong("#pragma expected");
    COHORT_TRY(reader_.advance());
    COHORT_ASSIGN(const std::string name, reader_.expect_name("the name of a pragma"));
    if (same_name(name, "include")) return reader_.wrong("files are not included; they are compiled one after another");
    COHORT_TRY(reader_.expect('('));
    COHORT_ASSIGN([[maybe_unused]] const Value value, reader_.value());
    return reader_.expect(')');
  }

  // Qualifier Name : type[] = default, Scope(a, b), Flavor(c, d);
  Result<QualifierType> qualifier_type() {
    QualifierType type;
    COHORT_TRY(reader_.advance());
    COHORT_ASSIGN(type.name, reader_.expect_name("the name of a qualifier"));
    COHORT_TRY(reader_.expect(':'));
    COHORT_ASSIGN(type.type, type_name());
    COHORT_ASSIGN(type.is_array, empty_brackets());
    COHORT_ASSIGN(const bool has_default, reader_.take('='));
    if (has_default) {
      COHORT_ASSIGN(type.default_value, reader_.value());
    }
    COHORT_TRY(reader_.expect(','));
    COHORT_ASSIGN(type.scopes, words_of("scope"));
    COHORT_ASSIGN(const bool has_flavor, reader_.take(','));
    if (has_flavor) {
      const std::size_t begin = reader_.token().offset;
      COHORT_ASSIGN(const std::vector<std::string> words, words_of("flavor"));
      for (const std::string& word : words) COHORT_TRY(apply_flavor(word, type.flavor, begin));
    }
    COHORT_TRY(reader_.expect(';'));
    return type;
  }

  // Scope(a, b, c)
  Result<std::vector<std::string>> words_of(std::string_view keyword) {
    COHORT_ASSIGN(const bool is_there, reader_.take_word(keyword));
    if (!is_there) return reader_.wrong(fmt::format("\"{}\" expected", keyword));
    COHORT_TRY(reader_.expect('('));
    std::vector<std::string> words;
    bool has_more = true;
    while (has_more) {
      COHORT_ASSIGN(std::string word, reader_.expect_name("a word"));
      words.push_back(std::move(word));
      COHORT_ASSIGN(has_more, reader_.take(','));
    }
    COHORT_TRY(reader_.expect(')'));
    return words;
  }

  [[nodiscard]] Result<void> apply_flavor(std::string_view word, Flavor& flavor, std::size_t offset) const {
    if (same_name(word, "EnableOverride")) {
      flavor.is_overridable = true;
    } else if (same_name(word, "DisableOverride")) {
      flavor.is_overridable = false;
    } else if (same_name(word, "ToSubclass")) {
      flavor.is_inherited = true;
    } else if (same_name(word, "Restricted")) {
      flavor.is_inherited = false;
    } else if (same_name(word, "Translatable")) {
      flavor.is_translatable = true;
    } else {
      return reader_.wrong_at(offset, fmt::format("there is no flavor \"{}\"", word));
    }
    return {};
  }

  // [Key, MaxLen(256), ValueMap {"1", "2"} : ToSubclass]; may be absent.
  Result<std::vector<Qualifier>> qualifiers() {
    std::vector<Qualifier> list;
    COHORT_ASSIGN(bool has_more, reader_.take('['));
    if (!has_more) return list;
    while (has_more) {
      COHORT_ASSIGN(Qualifier each, qualifier());
      list.push_back(std::move(each));
      COHORT_ASSIGN(has_more, reader_.take(','));
    }
    COHORT_TRY(reader_.expect(']'));
    return list;
  }

  Result<Qualifier> qualifier() {
    Qualifier read;
    const std::size_t begin = reader_.token().offset;
    COHORT_ASSIGN(read.name, reader_.expect_name("the name of a qualifier"));
    const QualifierType* const type = store_.find_qualifier_type(read.name);
    if (type == nullptr) return reader_.wrong_at(begin, fmt::format("the qualifier {} is not declared", read.name));
    read.flavor = type->flavor;
    COHORT_ASSIGN(read.value, qualifier_value(*type));
    COHORT_ASSIGN(const bool has_flavors, reader_.take(':'));
    while (has_flavors && reader_.token().kind == Kind::kWord) {
      const MofToken word = reader_.token();
      COHORT_TRY(reader_.advance());
      COHORT_TRY(apply_flavor(word.text, read.flavor, word.offset));
    }
    return read;
  }

  // A boolean qualifier that is named is true; others have their default.
  Result<Value> qualifier_value(const QualifierType& type) {
    if (reader_.is_symbol('{')) return reader_.value();
    COHORT_ASSIGN(const bool has_value, reader_.take('('));
    if (!has_value) return type.type == Type::kBoolean && !type.is_array ? Value(true) : type.default_value;
    COHORT_ASSIGN(Value value, reader_.value());
    COHORT_TRY(reader_.expect(')'));
    return value;
  }

  // class Name : Superclass { members };
  Result<Class> class_declaration() {
    Class declared;
    COHORT_TRY(reader_.advance());
    COHORT_ASSIGN(declared.name, reader_.expect_name("the name of a class"));
    COHORT_ASSIGN(const bool has_superclass, reader_.take(':'));
    if (has_superclass) {
      COHORT_ASSIGN(declared.superclass, reader_.expect_name("the name of the superclass"));
    }
    COHORT_TRY(reader_.expect('{'));
    while (!reader_.is_symbol('}')) COHORT_TRY(member(declared));
    COHORT_TRY(reader_.advance());
    COHORT_TRY(reader_.expect(';'));
    return declared;
  }

  Result<void> member(Class& declared) {
    COHORT_ASSIGN(Declaration head, typed_name());
    if (reader_.is_symbol('(')) {
      COHORT_ASSIGN(Method read, method(std::move(head)));
      declared.methods.push_back(std::move(read));
    } else {
      COHORT_ASSIGN(Property read, property(std::move(head)));
      declared.properties.push_back(std::move(read));
    }
    return reader_.expect(';');
  }

  // [qualifiers] type name, or [qualifiers] Class REF name
  Result<Declaration> typed_name() {
    Declaration head;
    COHORT_ASSIGN(head.qualifiers, qualifiers());
    const MofToken word = reader_.token();
    if (const auto type = word.kind == Kind::kWord ? type_from(word.text) : std::nullopt;
        type && *type != Type::kReference) {
      head.type = *type;
      COHORT_TRY(reader_.advance());
    } else {
      COHORT_ASSIGN(head.reference_class, reader_.expect_name("a type or the name of a class"));
      COHORT_ASSIGN(const bool is_reference, reader_.take_word("ref"));
      if (!is_reference) return reader_.wrong_at(word.offset, fmt::format("there is no type \"{}\"", word.text));
      head.type = Type::kReference;
    }
    COHORT_ASSIGN(head.name, reader_.expect_name("a name"));
    return head;
  }

  Result<Property> property(Declaration head) {
    Property read;
    COHORT_TRY(array_brackets(head));
    static_cast<Declaration&>(read) = std::move(head);
    const std::size_t begin = reader_.token().offset;
    COHORT_ASSIGN(const bool has_default, reader_.take('='));
    if (has_default) {
      COHORT_ASSIGN(const Value value, reader_.value());
      auto converted = convert(value, read.type, read.is_array);
      if (!converted || value.is_array() != read.is_array) {
        return reader_.wrong_at(begin, "the default is not of the property's type");
      }
      read.default_value = *std::move(converted);
    }
    return read;
  }

  Result<Method> method(Declaration head) {
    Method read;
    read.name = std::move(head.name);
    read.return_type = head.type;
    read.qualifiers = std::move(head.qualifiers);
    COHORT_TRY(reader_.expect('('));
    bool has_more = !reader_.is_symbol(')');
    while (has_more) {
      COHORT_ASSIGN(Declaration parameter, typed_name());
      COHORT_TRY(array_brackets(parameter));
      read.parameters.push_back(std::move(parameter));
      COHORT_ASSIGN(has_more, reader_.take(','));
    }
    COHORT_TRY(reader_.expect(')'));
    return read;
  }

  Result<Type> type_name() {
    const auto type = reader_.token().kind == Kind::kWord ? type_from(reader_.token().text) : std::nullopt;
    if (!type) return reader_.wrong("a type expected");
    COHORT_TRY(reader_.advance());
    return *type;
  }

  Result<bool> empty_brackets() {
    COHORT_ASSIGN(const bool is_array, reader_.take('['));
    if (is_array) COHORT_TRY(reader_.expect(']'));
    return is_array;
  }

  // [] or [5]; may be absent.
  Result<void> array_brackets(Declaration& head) {
    COHORT_ASSIGN(head.is_array, reader_.take('['));
    if (!head.is_array || reader_.is_symbol(']')) return head.is_array ? reader_.expect(']') : Result<void>();
    auto size = parse_element(Type::kUint32, reader_.token().text);
    if (!size) return reader_.wrong("the size of the array expected");
    head.array_size = std::get<std::uint32_t>(*size);
    COHORT_TRY(reader_.advance());
    return reader_.expect(']');
  }

  MofReader reader_;
  ClassStore& store_;
};

}  // namespace

Result<void> compile_mof(std::string_view file, std::string_view text, ClassStore& store) {
  return Compiler(file, text, store).compile();
}

Result<Instance> parse_mof_instance(std::string_view text) {
  MofReader reader("MOF", text);
  COHORT_TRY(reader.begin());
  COHORT_ASSIGN(Instance read, reader.instance());
  COHORT_ASSIGN([[maybe_unused]] const bool has_semicolon, reader.take(';'));
  if (!reader.at_end()) return reader.wrong("the end expected");
  return read;
}

}  // namespace cohort::cim
