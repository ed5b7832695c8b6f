"""Which IP addresses may be dialled for a URL that somebody else chose, and which are one customer's."""

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

# From IANA's special-purpose registries, written out because `ipaddress` changes its mind between Python releases.
# The first that matches names the address.
_SPECIAL: tuple[tuple[str, tuple[IpNetwork, ...]], ...] = tuple(
    (kind, tuple(ip_network(network) for network in networks.split()))
    for kind, networks in (
        ("unspecified", "0.0.0.0/8 ::/128"),
        ("loopback", "127.0.0.0/8 ::1/128"),
        ("private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10"),
        ("link-local", "169.254.0.0/16 fe80::/10"),
        ("shared (carrier-grade NAT)", "100.64.0.0/10"),
        ("multicast", "224.0.0.0/4 ff00::/8"),
        ("documentation", "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20"),
        ("benchmarking", "198.18.0.0/15 2001:2::/48"),
        ("reserved", "192.0.0.0/24 192.88.99.0/24 240.0.0.0/4 2001::/23"),
    )
)
# Where clouds tell a machine its credentials. Azure's is a public address; no setting opens these.
_METADATA = frozenset(
    ip_address(address)
    for address in (
        "100.100.100.200",
        "168.63.129.16",
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "192.0.0.192",
        "fd00:42::42",
        "fd00:ec2::23",
        "fd00:ec2::254",
        "fd20:ce::254",
    )
)
_GLOBAL_IPV6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


def refusal(address: IpAddress, allowed: Sequence[IpNetwork]) -> str | None:
    """Why this address may not be dialled ("private", "loopback", ...), or None where it may."""
    address = _plain(address)
    tunnelled = _tunnelled(address)
    if not _METADATA.isdisjoint((address, *tunnelled)):
        return "cloud metadata"
    if is_allowed(address, allowed):
        return None
    if tunnelled:
        reasons = (refusal(inner, allowed) for inner in tunnelled)
        return next((reason for reason in reasons if reason), None)
    for kind, networks in _SPECIAL:
        if any(address in network for network in networks):
            return kind
    # What IANA has not given out yet cannot be a partner's.
    if isinstance(address, IPv6Address) and address not in _GLOBAL_IPV6:
        return "reserved"
    return None


def is_allowed(address: IpAddress, allowed: Sequence[IpNetwork]) -> bool:
    """Whether the operator opened a network that this address lies in."""
    return any(_plain(address) in network for network in allowed)


def customer_of(text: str) -> str:
    """The network of an IPv6 address that a customer has for itself, 64 bits; any other text as it is."""
    if ":" not in text:
        return text
    try:
        address = _plain(ip_address(text))
    except ValueError:
        return text
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address) >> 64 << 64, 64)))


def _plain(address: IpAddress) -> IpAddress:
    """Without a zone (fe80::1%eth0), and IPv4 without its IPv6 clothes (::ffff:127.0.0.1)."""
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))


def _tunnelled(address: IpAddress) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that 6to4, Teredo or NAT64 would carry the connection to."""
    if not isinstance(address, IPv6Address):
        return ()
    if address.sixtofour:
        return (address.sixtofour,)
    if address.teredo:
        return address.teredo
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFF_FFFF),)
    return ()
