"""Names of ours in the forms that other systems ask for: URNs, package URLs, URI references."""

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def quoted(text: str) -> str:
    """Percent-encoded UTF-8: a part of a URI whatever the text is. Source: RFC 3986, section 2.

    >>> quoted("sha256:ab"), quoted("é /")
    ('sha256%3Aab', '%C3%A9%20%2F')
    """
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def urn(kind: str, name: str) -> str:
    """A URI for something that only a ledger knows.

    >>> urn("run", "0193")
    'urn:flyball:run:0193'
    """
    return f"urn:flyball:{kind}:{quoted(name)}"


def purl(service: str, root: str) -> str:
    """Package URL of a release. Source: purl-spec, type `generic`.

    >>> purl("fraud", "sha256:ab")
    'pkg:generic/fraud@sha256%3Aab'
    """
    return f"pkg:generic/{quoted(service)}@{quoted(root)}"


def source(namespace: str, service: str) -> str:
    """Who speaks: a URI reference, the same for all events of a service.

    >>> source("flyball", "fraud")
    '/flyball/fraud'
    """
    return "/" + "/".join(quoted(part) for part in (*namespace.split("/"), service))
