// Values as text, and from one type to another. What clients send has the type that they think it has, or none; what
// counts is the type that the class declares.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cim/value.h"

namespace cohort::cim {

// Reads one value of that type: "true", "-5", "0x1F", "1.5e3", a datetime, an object path; a string and a char16 are
// taken as they are. Space around what is neither is ignored.
// Fails with kInvalidArgument for other text, and for numbers that the type cannot hold.
// REQUIRES: the type is neither kNone nor kInstance.
[[nodiscard]] Result<Element> parse_element(Type type, std::string_view text);

// The text that parse_element reads; nothing for NULL and for instances.
[[nodiscard]] std::string to_text(const Element& element);

// The same value in another type: numbers that fit, text that reads as the type, NULL as NULL; one element where an
// array is declared is an array of it. Fails with kInvalidArgument; the sentence does not name the property.
[[nodiscard]] Result<Value> convert(const Value& value, Type type, bool is_array);

}  // namespace cohort::cim
