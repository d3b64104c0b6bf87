"""What a reply in CIM-XML may consist of, as the strictest of its readers have it: pywbem, which refuses whatever is not in the
DTD, and sfcc, which ends its process when it meets an attribute that it does not know.

    check_reply(xml)       AssertionError for the first element that one of them would not read
"""

import re
import xml.etree.ElementTree as ET

_TYPES = {"boolean": "true|false", "string": None, "char16": ".", "real32": r"[-+]?\d*\.\d+([eE][-+]?\d+)?",
          "real64": r"[-+]?\d*\.\d+([eE][-+]?\d+)?", "datetime": r"\d{14}\.\d{6}[-+]\d{3}|\d{14}\.\d{6}:000"}
_TYPES.update({f"{sign}int{bits}": r"\d+" if sign == "u" else r"-?\d+" for sign in "us" for bits in (8, 16, 32, 64)})
_BOOLEAN = "true|false"
_PROPERTIES = r"(PROPERTY|PROPERTY\.ARRAY|PROPERTY\.REFERENCE)"
_PATH = r"(INSTANCENAME|LOCALINSTANCEPATH|INSTANCEPATH|CLASSNAME|LOCALCLASSPATH|CLASSPATH)"
_LISTED = ("CLASSNAME", "INSTANCENAME", "CLASS", "INSTANCE", r"VALUE\.NAMEDINSTANCE", r"VALUE\.OBJECTWITHPATH",
           r"VALUE\.INSTANCEWITHPATH", "OBJECTPATH", "INSTANCEPATH", r"QUALIFIER\.DECLARATION")
_SCOPES = "CLASS? ASSOCIATION? REFERENCE? PROPERTY? METHOD? PARAMETER? INDICATION?"
_FLAVORS = "OVERRIDABLE? TOSUBCLASS? TRANSLATABLE?"

# Attributes ("?": may be absent), and the names of the children, each with a blank behind it. What has text is in _TEXTS.
_GRAMMAR = {
    "CIM": ("CIMVERSION DTDVERSION", "MESSAGE "),
    "MESSAGE": ("ID PROTOCOLVERSION", "SIMPLERSP "),
    "SIMPLERSP": ("", "(METHODRESPONSE|IMETHODRESPONSE) "),
    "METHODRESPONSE": ("NAME", "(ERROR |(RETURNVALUE )?(PARAMVALUE )*)"),
    "IMETHODRESPONSE": ("NAME", "(ERROR |(IRETURNVALUE )?(PARAMVALUE )*)"),
    "ERROR": ("CODE DESCRIPTION?", "(INSTANCE )*"),
    "RETURNVALUE": ("PARAMTYPE", r"(VALUE |VALUE\.REFERENCE )?"),
    "IRETURNVALUE": ("", "(" + "|".join(f"({each} )*" for each in _LISTED) + ")"),
    "PARAMVALUE": ("NAME PARAMTYPE EmbeddedObject?", r"((VALUE|VALUE\.ARRAY|VALUE\.REFERENCE|VALUE\.REFARRAY) )?"),
    "VALUE.ARRAY": ("", r"((VALUE|VALUE\.NULL) )*"),
    "VALUE.REFARRAY": ("", r"((VALUE\.REFERENCE|VALUE\.NULL) )*"),
    "VALUE.REFERENCE": ("", f"{_PATH} "),
    "VALUE.NULL": ("", ""),
    "VALUE.NAMEDINSTANCE": ("", "INSTANCENAME INSTANCE "),
    "VALUE.OBJECTWITHPATH": ("", "(INSTANCEPATH INSTANCE |CLASSPATH CLASS )"),
    "VALUE.INSTANCEWITHPATH": ("", "INSTANCEPATH INSTANCE "),
    "OBJECTPATH": ("", "(INSTANCEPATH|CLASSPATH) "),
    "INSTANCEPATH": ("", "NAMESPACEPATH INSTANCENAME "),
    "LOCALINSTANCEPATH": ("", "LOCALNAMESPACEPATH INSTANCENAME "),
    "NAMESPACEPATH": ("", "HOST LOCALNAMESPACEPATH "),
    "LOCALNAMESPACEPATH": ("", "(NAMESPACE )+"),
    "NAMESPACE": ("NAME", ""),
    "CLASSNAME": ("NAME", ""),
    "INSTANCENAME": ("CLASSNAME", "(KEYBINDING )*"),
    "KEYBINDING": ("NAME", r"(KEYVALUE|VALUE\.REFERENCE) "),
    "INSTANCE": ("CLASSNAME", f"({_PROPERTIES} )*"),
    "CLASS": ("NAME SUPERCLASS?", f"(QUALIFIER )*({_PROPERTIES} )*(METHOD )*"),
    "PROPERTY": ("NAME TYPE CLASSORIGIN? PROPAGATED? EmbeddedObject?", "(QUALIFIER )*(VALUE )?"),
    "PROPERTY.ARRAY": ("NAME TYPE CLASSORIGIN? PROPAGATED? ARRAYSIZE? EmbeddedObject?", r"(QUALIFIER )*(VALUE\.ARRAY )?"),
    "PROPERTY.REFERENCE": ("NAME REFERENCECLASS? CLASSORIGIN? PROPAGATED?", r"(QUALIFIER )*(VALUE\.REFERENCE )?"),
    "METHOD": ("NAME TYPE CLASSORIGIN? PROPAGATED?",
               r"(QUALIFIER )*((PARAMETER|PARAMETER\.ARRAY|PARAMETER\.REFERENCE|PARAMETER\.REFARRAY) )*"),
    "PARAMETER": ("NAME TYPE", "(QUALIFIER )*"),
    "PARAMETER.ARRAY": ("NAME TYPE ARRAYSIZE?", "(QUALIFIER )*"),
    "PARAMETER.REFERENCE": ("NAME REFERENCECLASS", "(QUALIFIER )*"),
    "PARAMETER.REFARRAY": ("NAME REFERENCECLASS ARRAYSIZE?", "(QUALIFIER )*"),
    "QUALIFIER": (f"NAME TYPE PROPAGATED? {_FLAVORS}", r"(VALUE |VALUE\.ARRAY )?"),
    "QUALIFIER.DECLARATION": (f"NAME TYPE ISARRAY? ARRAYSIZE? {_FLAVORS}", r"(SCOPE )?(VALUE |VALUE\.ARRAY )?"),
    "SCOPE": (_SCOPES, ""),
}
_TEXTS = {"VALUE": "", "KEYVALUE": "VALUETYPE", "HOST": ""}
# Of attributes that have a form.
_FORMS = {"PROPAGATED": _BOOLEAN, "ISARRAY": _BOOLEAN, **dict.fromkeys(_FLAVORS.replace("?", "").split(), _BOOLEAN),
          "VALUETYPE": "string|boolean|numeric", "EmbeddedObject": "instance|object", "ARRAYSIZE": r"\d+", "CODE": r"\d+",
          "TYPE": "|".join(_TYPES), "PARAMTYPE": "|".join([*_TYPES, "reference"])}
_SCOPE_FORMS = dict.fromkeys(_SCOPES.replace("?", "").split(), _BOOLEAN)


def check_reply(xml):
    root = ET.fromstring(xml)
    assert root.tag == "CIM"
    _check(root)


def _check(element):
    attributes, children = _GRAMMAR.get(element.tag, (_TEXTS.get(element.tag), ""))
    assert attributes is not None, f"there is no element {element.tag}"
    known = attributes.replace("?", "").split()
    missing = [each for each in attributes.split() if not each.endswith("?") and each not in element.attrib]
    assert set(element.attrib) <= set(known) and not missing, (element.tag, element.attrib)
    forms = _SCOPE_FORMS if element.tag == "SCOPE" else _FORMS
    for name, value in element.items():
        assert re.fullmatch(forms.get(name, "(?s).*"), value), (element.tag, name, value)
    found = "".join(f"{each.tag} " for each in element)
    assert re.fullmatch(children, found), f"{element.tag} {element.attrib} has {found}"
    assert element.tag in _TEXTS or not (element.text or "").strip(), (element.tag, element.text)
    _check_values(element)
    for each in element:
        _check(each)


def _check_values(holder):
    """Those in VALUE and VALUE.ARRAY are of the type that their holder names."""
    form = _TYPES.get(holder.get("TYPE", holder.get("PARAMTYPE")))
    for each in holder.findall("VALUE") + holder.findall("VALUE.ARRAY/VALUE"):
        assert form is None or re.fullmatch(form, each.text or ""), (holder.tag, holder.attrib, each.text)
        if "EmbeddedObject" in holder.attrib:
            embedded = ET.fromstring(each.text)
            assert embedded.tag == "INSTANCE", embedded.tag
            _check(embedded)
