"""Which URLs may be called at all: rules over the text, without asking any name server."""

import re
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address

from yarl import URL

from clients.address import IpAddress, IpNetwork, is_allowed, refusal

_LONGEST = 2048
_SLASH = re.compile(r"[/?#]")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_-]{1,63})*")
# What inet_aton takes for a number; the end of a name never is one.
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_LOCAL_ENDINGS = (".localhost", ".local", ".internal", ".home.arpa")
_WEB_PORTS = (80, 443)
_LOWEST_FREE_PORT = 1024
# Other protocols' ports, where an HTTP request could do harm: the Fetch standard's list above 1023.
_BAD_PORTS = frozenset(
    (
        *(1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566),
        *range(6665, 6670),
        *(6679, 6697, 10080),
    )
)


class BadUrlError(Exception):
    """This URL will not be called; the message says why, for the one who entered it."""


def check_url(
    url: str, *, allowed_networks: Sequence[IpNetwork] = (), http_allowed: bool = False
) -> str:
    """The URL in its normal form; BadUrlError where no request to it could be right.

    https:// is required, unless `http_allowed` or the host may lie in an allowed network. That a name resolves
    to addresses that may be dialled is only known when it is called.
    """
    parsed = _parsed(url)
    host = (parsed.raw_host or "").lower().removesuffix(".")
    address = literal(host)
    if address:
        reason = refusal(address, allowed_networks)
        if reason:
            raise BadUrlError(f"the host's address is not one that may be called: {reason}")
        may_be_open = is_allowed(address, allowed_networks)
    else:
        may_be_open = bool(allowed_networks)
        _check_name(host, is_local_allowed=may_be_open)
    if parsed.scheme == "http" and not (http_allowed or may_be_open):
        raise BadUrlError("https:// is required")
    return str(parsed.with_host(str(address or host)))


def literal(host: str) -> IpAddress | None:
    """The address that a URL's host is, if it is not a name; BadUrlError for one with a zone."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.scope_id:
        raise BadUrlError("an address with a zone is not allowed")
    return address


def _parsed(url: str) -> URL:
    """The URL, read by the library that will send the request, so that the two cannot differ."""
    if len(url) > _LONGEST:
        raise BadUrlError(f"a URL has at most {_LONGEST} characters")
    # What browsers, proxies and parsers read differently.
    if not url.isprintable() or " " in url or "\\" in url:
        raise BadUrlError("a URL holds no spaces, backslashes or control characters")
    try:
        parsed = URL(url)
        port = parsed.port or 0
    except ValueError:
        raise BadUrlError("this is not a URL") from None
    if parsed.scheme not in ("http", "https") or not parsed.raw_host:
        raise BadUrlError("expected a URL like https://host/path")
    if "@" in _SLASH.split(url, maxsplit=3)[2]:
        raise BadUrlError("a URL holds no user name or password")
    if "#" in url:
        raise BadUrlError("a URL to be called has no fragment")
    if port not in _WEB_PORTS and (port < _LOWEST_FREE_PORT or port in _BAD_PORTS):
        raise BadUrlError("the port is not one of a web server: 80, 443 or most above 1023")
    return parsed


def _check_name(host: str, *, is_local_allowed: bool) -> None:
    if not _HOST.fullmatch(host):
        raise BadUrlError("the host is neither a name nor an address")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        raise BadUrlError("an IPv4 address is written as four decimal numbers, like 192.0.2.1")
    if not is_local_allowed and ("." not in host or host.endswith(_LOCAL_ENDINGS)):
        raise BadUrlError("the host is a name of a local network")
