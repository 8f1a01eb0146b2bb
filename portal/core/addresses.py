"""Which addresses may be called from here: public ones, and what the operator allows (contract section 7).

The networks that are not public come from IANA's registries of special-purpose addresses (RFC 6890) and from
the metadata services of cloud providers.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str], Sequence[str]]
"""Gives every address of a host name. Raises OSError where there is none."""

FailureKind = Literal["forbidden", "unresolved", "refused", "timeout", "tls", "broken"]
LONGEST_URL = 2_000
LEADS_INSIDE = "leads to an address that is not public"
"""What a log says of an address that was refused for good."""
PORTS = {"http": 80, "https": 443}
PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")
NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # metadata and agent of Azure, in a range that looks public
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",  # wholly: 192.0.0.192 is Oracle Cloud's metadata, though Python counts it as global
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # Teredo, benchmarks, ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3ffe::/16",
        "3fff::/20",
    )
)
_URL = re.compile(r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class OutgoingFailed(Exception):
    """A call was refused or did not succeed. `text` is a sentence for a log that a customer reads."""

    def __init__(self, kind: FailureKind, text: str) -> None:
        super().__init__(text)
        self.kind: FailureKind = kind
        self.text = text


@dataclass(frozen=True)
class Place:
    """Where a URL leads: `host` in lower case without a trailing dot or brackets, `target` is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def url(self) -> str:
        """The same place, spelled in the one way that every parser reads alike."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if PORTS[self.scheme] == self.port else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.target}"


def read_place(url: str, *, any_port: bool = False) -> Place:
    """Read a URL strictly. Raises OutgoingFailed("forbidden") with the remedy for what must not be called."""
    if len(url) > LONGEST_URL:
        raise _forbidden(f"The URL is longer than {LONGEST_URL} characters. Use a shorter one.")
    if "#" in url:
        raise _forbidden("The URL has a fragment, which is never sent. Remove # and what follows.")
    if not _URL.fullmatch(url):
        raise _forbidden(
            "The URL has characters that no URL may have. Percent-encode them; write the host in ASCII (xn--…)."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _forbidden("The URL cannot be read. Write it like https://erp.example.com/path.") from None
    if parts.scheme not in PORTS:
        raise _forbidden("The URL must begin with https:// or http://.")
    if "@" in parts.netloc:
        raise _forbidden("The URL contains credentials. Send them in a header instead.")
    port = port if port is not None else PORTS[parts.scheme]
    if not any_port and port not in PORTS.values() and port < 1024:
        raise _forbidden(f"Port {port} may not be called. Use 443, 80, or one from 1024.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme, _read_host(parts.netloc), port, target)


class AddressRules:
    """Public addresses may be called; of the others, those in the networks of `allow`, in CIDR form."""

    def __init__(self, allow: Iterable[str]) -> None:
        self._allow = tuple(ipaddress.ip_network(network) for network in allow)

    def permits(self, address: Address) -> bool:
        """True for an address that may be called."""
        return is_public(address) or any(address in network for network in self._allow)

    def checked(self, host: str, resolve: Resolver) -> list[str]:
        """Every address of a host; each of them may be called.

        Raises OutgoingFailed: "unresolved" where there is none, "forbidden" if a single one may not be called.
        """
        literal = _literal(host)
        if literal is not None:
            found = [literal]
        elif host == "localhost" or host.endswith(".localhost"):
            found = [ipaddress.IPv4Address("127.0.0.1")]
        else:
            found = _resolved(host, resolve)
        if not all(self.permits(address) for address in found):
            raise _forbidden(
                f"{host} {LEADS_INSIDE}. Use one that the internet can reach, or ask the "
                "operator to list its network in OUTGOING_ALLOW."
            )
        return [str(address) for address in found]


def is_public(address: Address) -> bool:
    """True for an address of the public internet, and none that carries another one inside."""
    if isinstance(address, ipaddress.IPv6Address) and (address not in PUBLIC_IPV6 or address.scope_id):
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in NOT_PUBLIC)


def _read_host(netloc: str) -> str:
    """The host of a URL, in its one spelling. Raises OutgoingFailed."""
    if netloc.startswith("["):
        host = netloc[1:].partition("]")[0]
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            raise _forbidden(f"[{host}] is no IPv6 address.") from None
    host = netloc.partition(":")[0].lower().removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _forbidden("The URL names no host. Write it like https://erp.example.com/path.")
    if _NUMBER.fullmatch(labels[-1]) and _literal(host) is None:
        raise _forbidden(f"{host} is no address in its plain form. Write four decimal numbers, or a name.")
    return host


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _resolved(host: str, resolve: Resolver) -> list[Address]:
    try:
        found = [ipaddress.ip_address(text) for text in dict.fromkeys(resolve(host))]
    except (OSError, ValueError):
        found = []
    if not found:
        raise OutgoingFailed("unresolved", f"The name {host} has no address. Check its spelling and its DNS entry.")
    return found


def _forbidden(text: str) -> OutgoingFailed:
    return OutgoingFailed("forbidden", text)
