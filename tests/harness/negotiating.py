"""Clients that negotiate (SPNEGO, Kerberos, NTLM) and seal their messages as MS-WSMV says, in the ways of the known ones.

    client = SealingClient("127.0.0.1", port, kerberos(cache), WINDOWS)
    assert client.greet() == [401, 200]
    status, reply = client.post(envelope)

Written with GSSAPI, apart from the program.
"""

import base64
import dataclasses
import http.client
import struct

import gssapi
import gssapi.raw

SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
KERBEROS = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2")
NTLM = gssapi.OID.from_int_seq("1.3.6.1.4.1.311.2.2.10")
BOUNDARY = b"--Encrypted Boundary"


@dataclasses.dataclass(frozen=True)
class Ways:
    """What clients differ in."""
    asks_first: bool  # an empty POST without anything, for the 401
    tab: bytes
    protocol: bytes = b"application/HTTP-SPNEGO-session-encrypted"
    scheme: str = "Negotiate"


PYPSRP = Ways(asks_first=True, tab=b"\t")
OMICLI = Ways(asks_first=False, tab=b"")
KERBEROS_ALONE = Ways(asks_first=False, tab=b"\t", protocol=b"application/HTTP-Kerberos-session-encrypted",
                      scheme="Kerberos")


def kerberos(cache, mechanism=SPNEGO, bindings=None):
    """A context for HTTP@localhost, with the ticket in that cache."""
    credentials = gssapi.Credentials(usage="initiate", store={"ccache": cache}, mechs=[mechanism])
    flags = gssapi.RequirementFlag.mutual_authentication | gssapi.RequirementFlag.confidentiality
    return _context(credentials, mechanism, flags, bindings)


def ntlm(user, password, bindings=None):
    """The same with a password; as omicli, without asking for anything."""
    name = gssapi.Name(user, gssapi.NameType.user)
    acquired = gssapi.raw.acquire_cred_with_password(name, password.encode(), mechs=[SPNEGO, NTLM], usage="initiate")
    gssapi.raw.set_neg_mechs(acquired.creds, [NTLM])
    return _context(gssapi.Credentials(acquired.creds), SPNEGO, [], bindings)


def _context(credentials, mechanism, flags, bindings):
    return gssapi.SecurityContext(name=gssapi.Name("HTTP@localhost", gssapi.NameType.hostbased_service),
                                  creds=credentials, mech=mechanism, flags=flags, usage="initiate",
                                  channel_bindings=bindings)


class SealingClient:
    def __init__(self, host, port, context, ways, tls=None):
        if tls:
            self._connection = http.client.HTTPSConnection(host, port, timeout=30, context=tls)
        else:
            self._connection = http.client.HTTPConnection(host, port, timeout=30)
        self.context = context
        self._ways = ways

    def close(self):
        self._connection.close()

    def ask(self, body=b"", headers=None):
        """One request as it is; returns status, headers, body."""
        self._connection.request("POST", "/wsman", body, headers or {})
        answer = self._connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def greet(self):
        """Negotiates; returns the statuses of all answers."""
        statuses, token = [], None
        if self._ways.asks_first:
            status, headers, _ = self.ask()
            assert self._ways.scheme in headers.get_all("WWW-Authenticate")
            statuses.append(status)
        while not statuses or statuses[-1] == 401:
            made = self.context.step(token)
            status, headers, _ = self.ask(
                headers={"Authorization": f"{self._ways.scheme} {base64.b64encode(made).decode()}"})
            statuses.append(status)
            token = self._token_in(headers)
            if token is None:
                break
            if status == 200:
                self.context.step(token)
        self._is_kerberos = statuses[-1] == 200 and self.context.mech == KERBEROS
        return statuses

    def _token_in(self, headers):
        for each in headers.get_all("WWW-Authenticate") or []:
            scheme, _, token = each.partition(" ")
            if scheme == self._ways.scheme and token:
                return base64.b64decode(token)
        return None

    def seal(self, text, charset=b"UTF-8"):
        """A body."""
        if self._is_kerberos:
            message = gssapi.raw.IOV(gssapi.raw.IOVBufferType.header, (gssapi.raw.IOVBufferType.data, text),
                                     gssapi.raw.IOVBufferType.padding, std_layout=False)
            gssapi.raw.wrap_iov(self.context, message, confidential=True)
            header, data = message[0].value, message[1].value + (message[2].value or b"")
        else:
            token = self.context.wrap(text, True).message
            header, data = token[:16], token[16:]
        tab, protocol = self._ways.tab, self._ways.protocol
        return (BOUNDARY + b"\r\n" + tab + b"Content-Type: " + protocol + b"\r\n" + tab
                + b"OriginalContent: type=application/soap+xml;charset=" + charset + b";Length=" + str(len(text)).encode()
                + b"\r\n" + BOUNDARY + b"\r\n" + tab + b"Content-Type: application/octet-stream\r\n"
                + struct.pack("<I", len(header)) + header + data + BOUNDARY + b"--\r\n")

    def sealed_type(self):
        return {"Content-Type": f'multipart/encrypted;protocol="{self._ways.protocol.decode()}";'
                                'boundary="Encrypted Boundary"'}

    def post(self, text, charset="UTF-8"):
        """Sends an envelope sealed; returns the status and the envelope that came back, sealed in the same way."""
        status, headers, body = self.ask(self.seal(text.encode(charset), charset.encode()), self.sealed_type())
        if not body:
            return status, body
        assert headers["Content-Type"] == self.sealed_type()["Content-Type"]
        return status, self._opened(body, charset.encode())

    def _opened(self, body, charset):
        """Strictly, as clients do that know but their own way."""
        tab = self._ways.tab
        parts = body.split(BOUNDARY + b"\r\n")
        assert parts[0] == b"" and len(parts) == 3 and parts[2].endswith(BOUNDARY + b"--\r\n")
        label, data = parts[1], parts[2][:-len(BOUNDARY + b"--\r\n")]
        beginning = (tab + b"Content-Type: " + self._ways.protocol + b"\r\n" + tab
                     + b"OriginalContent: type=application/soap+xml;charset=" + charset + b";Length=")
        assert label.startswith(beginning)
        octets = tab + b"Content-Type: application/octet-stream\r\n"
        assert data.startswith(octets)
        data = data[len(octets):]
        length, = struct.unpack("<I", data[:4])
        opened = self._unseal(data[4:4 + length], data[4 + length:])
        assert len(opened) == int(label[len(beginning):])
        return opened

    def _unseal(self, header, data):
        if not self._is_kerberos:
            return self.context.unwrap(header + data).message
        # As Windows takes it: the signature apart from the data, which is as long as what was sealed.
        message = gssapi.raw.IOV((gssapi.raw.IOVBufferType.header, False, header),
                                 (gssapi.raw.IOVBufferType.data, False, data),
                                 (gssapi.raw.IOVBufferType.padding, False, b""), std_layout=False)
        assert gssapi.raw.unwrap_iov(self.context, message).encrypted
        return message[1].value
