"""Addresses: what is public may be dialled, what is not may not, in whatever clothes it comes; and whose they are."""

from ipaddress import ip_address, ip_network

import pytest

from clients.address import customer_of, is_allowed, refusal


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("10.1.2.3", "private"),
        ("100.64.0.1", "shared (carrier-grade NAT)"),
        ("100.127.255.255", "shared (carrier-grade NAT)"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("169.254.1.1", "link-local"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.0.0.8", "reserved"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "reserved"),
        ("192.168.1.1", "private"),
        ("198.18.0.1", "benchmarking"),
        ("198.51.100.1", "documentation"),
        ("203.0.113.1", "documentation"),
        ("224.0.0.1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("fc00::1", "private"),
        ("fdff::1", "private"),
        ("fe80::1", "link-local"),
        ("fe80::1%1", "link-local"),
        ("fec0::1", "private"),
        ("ff02::1", "multicast"),
        ("2001:db8::1", "documentation"),
        ("3fff::1", "documentation"),
        ("2001:2::1", "benchmarking"),
        ("2001:10::1", "reserved"),
        ("100::1", "reserved"),
        ("64:ff9b:1::1", "reserved"),
        ("5f00::1", "reserved"),
        ("4000::1", "reserved"),
        # IPv4 inside IPv6: compatible, mapped, 6to4, NAT64, and Teredo's client and server.
        ("::127.0.0.1", "reserved"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:10.0.0.1", "private"),
        ("2002:7f00:1::", "loopback"),
        ("2002:a00:1::1", "private"),
        ("64:ff9b::127.0.0.1", "loopback"),
        ("64:ff9b::192.168.0.1", "private"),
        ("2001:0:808:808::f5ff:fffe", "private"),
        ("2001:0:a00:1::f7f7:f7f7", "private"),
        # Where clouds keep credentials.
        ("169.254.169.254", "cloud metadata"),
        ("169.254.170.2", "cloud metadata"),
        ("100.100.100.200", "cloud metadata"),
        ("168.63.129.16", "cloud metadata"),
        ("192.0.0.192", "cloud metadata"),
        ("fd00:ec2::254", "cloud metadata"),
        ("fd00:ec2::254%1", "cloud metadata"),
        ("::ffff:169.254.169.254", "cloud metadata"),
        ("2002:a9fe:a9fe::", "cloud metadata"),
        ("64:ff9b::169.254.169.254", "cloud metadata"),
    ],
)
def test_what_is_not_public_is_refused_by_its_kind(address: str, kind: str) -> None:
    assert refusal(ip_address(address), ()) == kind


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "::ffff:1.1.1.1",
        "2002:101:101::1",
        "64:ff9b::1.1.1.1",
    ],
)
def test_what_is_public_is_not_refused(address: str) -> None:
    assert refusal(ip_address(address), ()) is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("127.0.0.1", "127.0.0.0/8"),
        ("::ffff:127.0.0.1", "127.0.0.0/8"),
        ("10.2.3.4", "10.2.0.0/16"),
        ("fd12::1", "fd00::/8"),
        ("fe80::1%1", "fe80::/10"),
    ],
)
def test_an_allowed_network_is_open(address: str, network: str) -> None:
    allowed = (ip_network("192.0.2.0/24"), ip_network(network))

    assert refusal(ip_address(address), allowed) is None
    assert is_allowed(ip_address(address), allowed)


def test_an_allowed_network_opens_no_other() -> None:
    allowed = (ip_network("10.2.0.0/16"),)

    assert refusal(ip_address("10.3.0.1"), allowed) == "private"
    assert not is_allowed(ip_address("1.1.1.1"), allowed)


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254"])
def test_no_network_opens_cloud_metadata(address: str) -> None:
    everything = (ip_network("0.0.0.0/0"), ip_network("::/0"))

    assert refusal(ip_address(address), everything) == "cloud metadata"


@pytest.mark.parametrize(
    ("text", "customer"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("a:b", "a:b"),
    ],
)
def test_a_customer_has_an_ipv4_address_or_64_bits_of_ipv6(text: str, customer: str) -> None:
    assert customer_of(text) == customer
