"""Who a client behind proxies is: what those say that the operator trusts, and nobody else."""

import re
from collections.abc import Callable, MutableMapping, Sequence
from ipaddress import IPv6Address, ip_address
from typing import Any, NamedTuple

from clients.address import IpAddress, IpNetwork, is_allowed

Scope = MutableMapping[str, Any]
_Headers = Sequence[tuple[bytes, bytes]]

UNKNOWN = "unknown"
"""The address of a client of whom a trusted proxy does not say it."""

_MOST_HOPS = 50
# An element of RFC 7239: pairs with tokens or quoted strings as values.
_PAIR = re.compile(r'\s*([\w!#$%&\'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))\s*([;,]|$)')


class _Hop(NamedTuple):
    """What a proxy says of a request that it passed on."""

    address: IpAddress | None
    scheme: str | None = None


class Proxies:
    """The proxies whose word counts, by the networks that they are in."""

    def __init__(self, trusted: Sequence[IpNetwork] = ()) -> None:
        self._trusted = trusted

    def resolve(self, scope: Scope) -> None:
        """Put into an ASGI scope the client and the scheme as trusted proxies tell them.

        Each proxy adds whom it was called by at the right, so that the first address from there that is no trusted
        proxy's is the client's; what stands left of it is the client's own claim. Where X-Forwarded-For and
        Forwarded disagree one of them was passed on unread, and the client is not known.
        """
        client = scope.get("client")
        if not self._trusted or client is None or not self._trusts(_address(client[0])):
            return
        headers = scope["headers"]
        said = [
            self._client(hops) for name, read in _READERS if (hops := read(_values(headers, name)))
        ]
        if said:
            found = said[0].address
            agreed = found is not None and all(hop.address == found for hop in said)
            scope["client"] = (str(found) if agreed else UNKNOWN, 0)
        scheme = _values(headers, b"x-forwarded-proto").rpartition(",")[2].strip().lower()
        schemes = [scheme, *(hop.scheme for hop in said)]
        found_scheme = next((each for each in schemes if each in {"http", "https"}), None)
        if found_scheme is not None:
            is_socket = scope["type"] == "websocket"
            scope["scheme"] = found_scheme.replace("http", "ws") if is_socket else found_scheme

    def _client(self, hops: Sequence[_Hop]) -> _Hop:
        """The first hop from the right that is not a trusted proxy; the last of all if each is."""
        return next(
            (hop for hop in reversed(hops) if not self._trusts(hop.address)),
            hops[0],
        )

    def _trusts(self, address: IpAddress | None) -> bool:
        return address is not None and is_allowed(address, self._trusted)


def _values(headers: _Headers, name: bytes) -> str:
    """A list header's values, all lines of it."""
    return ",".join([value.decode("latin-1") for key, value in headers if key == name])


def _x_forwarded_for(value: str) -> list[_Hop]:
    if not value.strip():
        return []
    return [_Hop(_address(part.strip())) for part in value.rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]]


def _forwarded(value: str) -> list[_Hop]:
    """RFC 7239; what cannot be read makes the hop at the right unknown."""
    hops: list[_Hop] = []
    pairs: dict[str, str] = {}
    at = 0
    while at < len(value):
        pair = _PAIR.match(value, at)
        if pair is None:
            return [*hops, _Hop(None)]
        name, quoted, token, end = pair.groups()
        pairs[name.lower()] = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        if end != ";":
            hops.append(_Hop(_address(pairs.get("for", "")), pairs.get("proto", "").lower()))
            pairs = {}
        at = pair.end()
    return hops[-_MOST_HOPS:]


_READERS: tuple[tuple[bytes, Callable[[str], list[_Hop]]], ...] = (
    (b"x-forwarded-for", _x_forwarded_for),
    (b"forwarded", _forwarded),
)


def _address(text: str) -> IpAddress | None:
    """The address of `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`; None of anything else."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        # Without a zone, which means something to the proxy alone, and IPv4 as such.
        return address.ipv4_mapped or IPv6Address(int(address))
    return address
