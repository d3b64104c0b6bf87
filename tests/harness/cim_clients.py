"""Small clients of both protocols, with one face: what a test does through one it does through the other.

    client = WsmanClient(cohortd, "administrator")       or CimXmlClient(...)
    for each in client.instances("Msvm_VirtualSystemCollection"):
        print(each.path, each["ElementName"])
    collection = client.define_collection("web", "web1", "web2")
    code, out = client.invoke(client.service("Msvm_CollectionManagementService"), "RenameCollection",
                              Collection=collection, NewName="shop")

Values are text, None for NULL, lists, Paths for references, and Instances for those that are embedded. Written apart from the program, after the specifications.
"""

import dataclasses
import uuid
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from .cim_xml_grammar import check_reply

V2 = "root/virtualization/v2"


@dataclasses.dataclass(frozen=True)
class Path:
    class_name: str
    keys: tuple  # of (name, text)
    namespace: str = V2

    def key(self, name):
        return dict(self.keys)[name]


def path_text(path):
    """The path as text, for properties that hold one."""
    return f"{path.namespace}:{path.class_name}." + ",".join(f'{name}="{value}"' for name, value in path.keys)


class Instance(dict):
    """Its properties; .path and .class_name."""

    def __init__(self, class_name, path, properties):
        super().__init__(properties)
        self.class_name = class_name
        self.path = path


class CimError(Exception):
    """The operation failed: a CIM status (int) or the subcode of a SOAP fault, and the sentence."""

    def __init__(self, code, sentence, detail=""):
        super().__init__(f"{code} {detail}: {sentence}")
        self.code, self.sentence, self.detail = code, sentence, detail


def embedded(class_name, **properties):
    """An instance as the text that settings arrive as."""
    def one(name, value):
        type_name = "boolean" if isinstance(value, bool) else "uint16" if isinstance(value, int) else "string"
        return (f"<PROPERTY NAME={quoteattr(name)} TYPE=\"{type_name}\"><VALUE>{escape(_text(value))}</VALUE>"
                f"</PROPERTY>")

    return (f"<INSTANCE CLASSNAME={quoteattr(class_name)}>"
            + "".join(one(name, value) for name, value in properties.items()) + "</INSTANCE>")


def text_or_instance(element):
    """Instances in strings are text in both protocols."""
    text = element.text or ""
    return CimXmlClient._instance(ET.fromstring(text)) if text.startswith("<INSTANCE") else text


def _text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Client:
    """What is made of the calls that the clients of both protocols have."""

    def service(self, class_name):
        """The path of the only one of its class."""
        found, = self.instances(class_name)
        return found.path

    def define_collection(self, name, *machines):
        """Of the machines with these names; returns its path."""
        management = self.service("Msvm_CollectionManagementService")
        code, out = self.invoke(management, "DefineCollection", Name=name, Id="", Type=0)
        assert code == 0, (name, code)
        for each in machines:
            member, = self.query(f"SELECT * FROM Msvm_ComputerSystem WHERE ElementName = '{each}'")
            code, _ = self.invoke(management, "AddMember", Member=member.path, Collection=out["DefinedCollection"])
            assert code == 0, (each, code)
        return out["DefinedCollection"]


# WS-Management

S = "{http://www.w3.org/2003/05/soap-envelope}"
A = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
W = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
N = "{http://schemas.xmlsoap.org/ws/2004/09/enumeration}"
CIM = "{http://schemas.dmtf.org/wbem/wscim/1/common}"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
ASSOCIATIONS = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter"
SOAP_TYPE = {"Content-Type": "application/soap+xml;charset=UTF-8"}


def uri_of(class_name, namespace=V2):
    return f"http://schemas.microsoft.com/wbem/wsman/1/wmi/{namespace}/{class_name}"


def envelope(action, uri, body="", selectors="", headers=""):
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
        'xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" '
        'xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"><s:Header>'
        f'<a:To>http://localhost/wsman</a:To><w:ResourceURI s:mustUnderstand="true">{uri}</w:ResourceURI>'
        f"<a:ReplyTo><a:Address>{ANONYMOUS}</a:Address></a:ReplyTo><a:Action>{action}</a:Action>"
        f"<a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>{headers}"
        f"{selectors}</s:Header><s:Body>{body}</s:Body></s:Envelope>")


def selector_set(keys):
    return ("<w:SelectorSet>" + "".join(f"<w:Selector Name={quoteattr(name)}>{escape(value)}</w:Selector>"
                                        for name, value in keys) + "</w:SelectorSet>") if keys else ""


def reference(path):
    return (f"<a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{uri_of(path.class_name, path.namespace)}</w:ResourceURI>{selector_set(path.keys)}"
            "</a:ReferenceParameters>")


def sender(cohortd, role, tls=False):
    """A function that sends a body and returns status and body."""
    def send(body):
        status, _, reply = cohortd.request("POST", "/wsman", body.encode(), SOAP_TYPE, role=role, tls=tls)
        return status, reply
    return send


class WsmanClient(_Client):
    """`send` posts an envelope: sender(...), or the transport of another library."""

    def __init__(self, send):
        self._send = send

    def ask(self, action, uri, body="", selectors="", headers=""):
        """The body of the reply; raises CimError for a fault."""
        _, reply = self._send(envelope(action, uri, body, selectors, headers))
        answered = ET.fromstring(reply).find(f"{S}Body")
        fault = answered.find(f"{S}Fault")
        if fault is None:
            return answered
        subcode = fault.find(f"{S}Code/{S}Subcode/{S}Value")
        detail = fault.find(f"{S}Detail/{W}FaultDetail")
        raise CimError(subcode.text if subcode is not None else fault.find(f"{S}Code/{S}Value").text,
                       fault.find(f"{S}Reason/{S}Text").text,
                       "" if detail is None else detail.text.rsplit("/", 1)[1])

    def instances(self, class_name, namespace=V2, mode="", most=20):
        return self._enumerate(uri_of(class_name, namespace), mode=mode, most=most)

    def batches(self, class_name, namespace=V2, most=20):
        """The instances as they are pulled; whoever stops before the end leaves the enumeration open."""
        return self._batches(uri_of(class_name, namespace), most=most)

    def query(self, wql, namespace=V2):
        dialect = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
        return self._enumerate(uri_of("*", namespace), f'<w:Filter Dialect="{dialect}">{escape(wql)}</w:Filter>')

    def associated(self, path, result_class, association=""):
        return self._associations("AssociatedInstances", path, association, result_class)

    def _associations(self, kind, path, association, result_class):
        wanted = f"<b:AssociationClassName>{association}</b:AssociationClassName>" if association else ""
        wanted += f"<b:ResultClassName>{result_class}</b:ResultClassName>"
        return self._enumerate(uri_of("*", path.namespace),
                               f'<w:Filter Dialect="{ASSOCIATIONS}"><b:{kind}><b:Object>{reference(path)}</b:Object>'
                               f"{wanted}</b:{kind}></w:Filter>")

    def _enumerate(self, uri, filter_="", mode="", most=20):
        return [each for batch in self._batches(uri, filter_, mode, most) for each in batch]

    def _batches(self, uri, filter_="", mode="", most=20):
        mode = f"<w:EnumerationMode>{mode or 'EnumerateObjectAndEPR'}</w:EnumerationMode>"
        body = self.ask(ENUMERATION + "Enumerate", uri, f"<n:Enumerate>{filter_}{mode}</n:Enumerate>")
        context = body.find(f".//{N}EnumerationContext")
        while context is not None and context.text:
            pulled = self.ask(ENUMERATION + "Pull", uri,
                              f"<n:Pull><n:EnumerationContext>{context.text}</n:EnumerationContext>"
                              f"<n:MaxElements>{most}</n:MaxElements></n:Pull>")
            yield [self._item(item) for item in pulled.find(f".//{N}Items")]
            context = pulled.find(f".//{N}EnumerationContext")

    @classmethod
    def _item(cls, item):
        if item.tag == f"{A}EndpointReference":
            return cls._path(item)
        if item.tag == f"{W}Item":
            made = cls._instance(item[0])
            made.path = cls._path(item[1])
            return made
        return cls._instance(item)

    @classmethod
    def _instance(cls, element):
        properties = {}
        for child in element:
            name = child.tag.split("}")[1]
            value = cls._value(child)
            if name in properties:
                before = properties[name]
                properties[name] = [*(before if isinstance(before, list) else [before]), value]
            else:
                properties[name] = value
        return Instance(element.tag.split("}")[1], None, properties)

    @classmethod
    def _value(cls, element):
        if element.get(NIL) == "true":
            return None
        if element.find(f"{A}ReferenceParameters") is not None:
            return cls._path(element)
        time = element.find(f"{CIM}Datetime")
        if time is None and len(element):
            return cls._embedded(element)
        if time is not None:
            return time.text or ""
        return text_or_instance(element)

    @classmethod
    def _embedded(cls, element):
        made = cls._instance(element)
        made.class_name = element[0].tag.split("}")[0].rsplit("/", 1)[1]
        return made

    @staticmethod
    def _path(element):
        parameters = element.find(f"{A}ReferenceParameters")
        class_uri = parameters.find(f"{W}ResourceURI").text
        namespace, class_name = class_uri.split("/wmi/")[1].rsplit("/", 1)
        keys = tuple((each.get("Name"), each.text or "") for each in parameters.findall(f"{W}SelectorSet/{W}Selector"))
        return Path(class_name, tuple(key for key in keys if key[0] != "__cimnamespace"), namespace)

    def get(self, path):
        body = self.ask(TRANSFER + "Get", uri_of(path.class_name, path.namespace), selectors=selector_set(path.keys))
        found = self._instance(body[0])
        found.path = path
        return found

    def modify(self, path, **properties):
        self.ask(TRANSFER + "Put", uri_of(path.class_name, path.namespace), self._representation(path.class_name, properties),
                 selector_set(path.keys))

    def create(self, class_name, **properties):
        self.ask(TRANSFER + "Create", uri_of(class_name), self._representation(class_name, properties))

    def delete(self, path):
        self.ask(TRANSFER + "Delete", uri_of(path.class_name, path.namespace), selectors=selector_set(path.keys))

    @staticmethod
    def _representation(class_name, properties):
        return (f'<p:{class_name} xmlns:p="{uri_of(class_name)}">'
                + "".join(f"<p:{name}>{escape(_text(value))}</p:{name}>" for name, value in properties.items())
                + f"</p:{class_name}>")

    def change(self, path, **changed):
        """Sends the whole instance back, as openwsman's client does; lists are arrays."""
        uri, selectors = uri_of(path.class_name, path.namespace), selector_set(path.keys)
        instance = self.ask(TRANSFER + "Get", uri, selectors=selectors)[0]
        for name, value in changed.items():
            tag = f"{{{uri}}}{name}"
            place = [child.tag for child in instance].index(tag)
            for child in instance.findall(tag):
                instance.remove(child)
            for one in value if isinstance(value, list) else [value]:
                element = ET.Element(tag)
                element.text = _text(one)
                instance.insert(place, element)
                place += 1
        self.ask(TRANSFER + "Put", uri, ET.tostring(instance, encoding="unicode"), selectors)

    def invoke(self, path, method, **parameters):
        uri = uri_of(path.class_name, path.namespace)
        given = "".join(f"<p:{name}>{self._parameter(one)}</p:{name}>" for name, value in parameters.items()
                        for one in (value if isinstance(value, list) else [value]))
        body = self.ask(f"{uri}/{method}", uri, f'<p:{method}_INPUT xmlns:p="{uri}">{given}</p:{method}_INPUT>',
                        selector_set(path.keys))
        out = self._instance(body[0])
        return int(out.pop("ReturnValue")), dict(out)

    @staticmethod
    def _parameter(value):
        if isinstance(value, Path):
            return reference(value)
        return f"<![CDATA[{value}]]>" if _text(value).startswith("<INSTANCE") else escape(_text(value))


# CIM-XML

def _key_bindings(keys):
    return "".join(f"<KEYBINDING NAME={quoteattr(name)}><KEYVALUE VALUETYPE=\"string\">{escape(value)}</KEYVALUE>"
                   "</KEYBINDING>" for name, value in keys)


def _instance_name(path):
    return f"<INSTANCENAME CLASSNAME={quoteattr(path.class_name)}>{_key_bindings(path.keys)}</INSTANCENAME>"


def _namespace(name):
    return "<LOCALNAMESPACEPATH>" + "".join(f"<NAMESPACE NAME={quoteattr(part)}/>" for part in name.split("/")) + \
        "</LOCALNAMESPACEPATH>"


class CimXmlClient(_Client):
    """With checks, replies are held against the grammar, which takes longer than to read them."""

    def __init__(self, cohortd, role, tls=False, checks=True):
        self._cohortd, self._role, self._tls, self._checks = cohortd, role, tls, checks

    def _ask(self, method, target, call):
        """The I/METHODRESPONSE; raises CimError."""
        message = ('<?xml version="1.0" encoding="utf-8"?><CIM CIMVERSION="2.0" DTDVERSION="2.0">'
                   f'<MESSAGE ID="{uuid.uuid4()}" PROTOCOLVERSION="1.0"><SIMPLEREQ>{call}</SIMPLEREQ></MESSAGE></CIM>')
        headers = {"Content-Type": 'application/xml; charset="utf-8"', "CIMOperation": "MethodCall",
                   "CIMMethod": method, "CIMObject": target}
        status, answered, reply = self._cohortd.request("POST", "/cimom", message.encode(), headers, role=self._role,
                                                        tls=self._tls)
        if status != 200:
            raise CimError(status, answered.get("CIMError", ""))
        if self._checks:
            check_reply(reply)
        response = ET.fromstring(reply).find("MESSAGE/SIMPLERSP")[0]
        error = response.find("ERROR")
        if error is not None:
            raise CimError(int(error.get("CODE")), error.get("DESCRIPTION"))
        return response

    def _intrinsic(self, method, namespace, **parameters):
        given = "".join(f'<IPARAMVALUE NAME="{name}">{value}</IPARAMVALUE>' for name, value in parameters.items() if value)
        return self._ask(method, namespace, f'<IMETHODCALL NAME="{method}">{_namespace(namespace)}{given}</IMETHODCALL>')

    @staticmethod
    def _class(name):
        return f"<CLASSNAME NAME={quoteattr(name)}/>" if name else ""

    def instances(self, class_name, namespace=V2):
        return self._objects(self._intrinsic("EnumerateInstances", namespace, ClassName=self._class(class_name)),
                             namespace)

    def query(self, wql, namespace=V2):
        return self._objects(self._intrinsic("ExecQuery", namespace, QueryLanguage="<VALUE>WQL</VALUE>",
                                             Query=f"<VALUE>{escape(wql)}</VALUE>"), namespace)

    def associated(self, path, result_class, association=""):
        return self._objects(self._intrinsic("Associators", path.namespace, ObjectName=_instance_name(path),
                                             AssocClass=self._class(association),
                                             ResultClass=self._class(result_class)), path.namespace)

    @classmethod
    def _objects(cls, response, namespace):
        found = []
        for item in response.find("IRETURNVALUE"):
            made = cls._instance(item.find("INSTANCE"))
            made.path = cls._path(item.find(".//INSTANCENAME"), namespace)
            found.append(made)
        return found

    def get(self, path):
        response = self._intrinsic("GetInstance", path.namespace, InstanceName=_instance_name(path))
        found = self._instance(response.find("IRETURNVALUE/INSTANCE"))
        found.path = path
        return found

    def change(self, path, **changed):
        """Sends the whole instance back, as the client of WS-Management does."""
        read = self._intrinsic("GetInstance", path.namespace, InstanceName=_instance_name(path))
        instance = read.find("IRETURNVALUE/INSTANCE")
        for name, value in changed.items():
            holder, = [each for each in instance if each.get("NAME") == name]
            for child in list(holder):
                holder.remove(child)
            values = ET.SubElement(holder, "VALUE.ARRAY") if isinstance(value, list) else holder
            for one in value if isinstance(value, list) else [value]:
                ET.SubElement(values, "VALUE").text = _text(one)
        self._intrinsic("ModifyInstance", path.namespace,
                        ModifiedInstance=f"<VALUE.NAMEDINSTANCE>{_instance_name(path)}"
                                         f"{ET.tostring(instance, encoding='unicode')}</VALUE.NAMEDINSTANCE>")

    @classmethod
    def _instance(cls, element):
        return Instance(element.get("CLASSNAME"), None, {each.get("NAME"): cls._value(each) for each in element
                                                         if each.tag.startswith("PROPERTY")})

    @classmethod
    def _value(cls, holder):
        for child in holder:
            if child.tag == "VALUE":
                return text_or_instance(child)
            if child.tag == "VALUE.ARRAY":
                return [text_or_instance(each) for each in child]
            if child.tag == "VALUE.REFERENCE":
                return cls._path(child.find(".//INSTANCENAME"), V2)
        return None

    @staticmethod
    def _path(element, namespace):
        keys = tuple((each.get("NAME"), (each.find("KEYVALUE").text or "") if each.find("KEYVALUE") is not None else "")
                     for each in element.findall("KEYBINDING"))
        return Path(element.get("CLASSNAME"), keys, namespace)

    def modify(self, path, **properties):
        named = f"<VALUE.NAMEDINSTANCE>{_instance_name(path)}{embedded(path.class_name, **properties)}</VALUE.NAMEDINSTANCE>"
        self._intrinsic("ModifyInstance", path.namespace, ModifiedInstance=named)

    def create(self, class_name, **properties):
        self._intrinsic("CreateInstance", V2, NewInstance=embedded(class_name, **properties))

    def delete(self, path):
        self._intrinsic("DeleteInstance", path.namespace, InstanceName=_instance_name(path))

    def invoke(self, path, method, **parameters):
        given = "".join(self._parameter(name, value) for name, value in parameters.items())
        response = self._ask(method, path_text(path),
                             f'<METHODCALL NAME="{method}"><LOCALINSTANCEPATH>{_namespace(path.namespace)}'
                             f"{_instance_name(path)}</LOCALINSTANCEPATH>{given}</METHODCALL>")
        code = int(response.find("RETURNVALUE/VALUE").text)
        return code, {each.get("NAME"): self._value(each) for each in response.findall("PARAMVALUE")}

    @staticmethod
    def _parameter(name, value):
        if isinstance(value, Path):
            return (f'<PARAMVALUE NAME="{name}" PARAMTYPE="reference"><VALUE.REFERENCE><INSTANCEPATH><NAMESPACEPATH>'
                    f"<HOST>h</HOST>{_namespace(value.namespace)}</NAMESPACEPATH>{_instance_name(value)}</INSTANCEPATH>"
                    "</VALUE.REFERENCE></PARAMVALUE>")
        if isinstance(value, list) and any(isinstance(each, Path) for each in value):
            paths = "".join(f"<VALUE.REFERENCE>{_instance_name(each)}</VALUE.REFERENCE>" for each in value)
            return f'<PARAMVALUE NAME="{name}" PARAMTYPE="reference"><VALUE.REFARRAY>{paths}</VALUE.REFARRAY></PARAMVALUE>'
        if isinstance(value, list):
            texts = "".join(f"<VALUE>{escape(_text(each))}</VALUE>" for each in value)
            return f'<PARAMVALUE NAME="{name}" PARAMTYPE="uint32"><VALUE.ARRAY>{texts}</VALUE.ARRAY></PARAMVALUE>'
        return f'<PARAMVALUE NAME="{name}" PARAMTYPE="string"><VALUE>{escape(_text(value))}</VALUE></PARAMVALUE>'
