"""URLs of others: what is refused before any name is looked up, and the form that is kept."""

from ipaddress import ip_network

import pytest

from clients.url import BadUrlError, check_url

INTRANET = (ip_network("10.0.0.0/8"),)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://partner.example", "https://partner.example"),
        ("HTTPS://Partner.Example/Hook?a=B", "https://partner.example/Hook?a=B"),
        ("https://partner.example./hook", "https://partner.example/hook"),
        ("https://partner.example:443/hook", "https://partner.example/hook"),
        ("https://partner.example:8443/hook", "https://partner.example:8443/hook"),
        ("https://partner.example:80/hook", "https://partner.example:80/hook"),
        ("https://bücher.example/ü?ü=ü", "https://xn--bcher-kva.example/%C3%BC?%C3%BC=%C3%BC"),
        ("https://my_app.partner.example/", "https://my_app.partner.example/"),
        ("https://partner.example/user@host", "https://partner.example/user@host"),
        ("https://partner.example?to=user@host", "https://partner.example/?to=user@host"),
        ("https://1.1.1.1/hook", "https://1.1.1.1/hook"),
        ("https://[2606:4700:0::1111]/hook", "https://[2606:4700::1111]/hook"),
        ("https://\uff11.1.1.1/hook", "https://1.1.1.1/hook"),
    ],
)
def test_a_usable_url_gets_its_normal_form(url: str, normal: str) -> None:
    assert check_url(url) == normal
    assert check_url(normal) == normal


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", "expected a URL like"),
        ("partner.example/hook", "expected a URL like"),
        ("//partner.example/hook", "expected a URL like"),
        ("https:partner.example", "expected a URL like"),
        ("https:///hook", "expected a URL like"),
        ("ftp://partner.example/", "expected a URL like"),
        ("file:///etc/passwd", "expected a URL like"),
        ("gopher://partner.example/", "expected a URL like"),
        ("http://partner.example/", "https:// is required"),
        ("http://1.1.1.1/", "https:// is required"),
        ("https://user@partner.example/", "no user name or password"),
        ("https://user:password@partner.example/", "no user name or password"),
        ("https://@partner.example/", "no user name or password"),
        ("https://partner.example:443@127.0.0.1/", "no user name or password"),
        ("https://partner.example\\@127.0.0.1/", "no spaces, backslashes"),
        ("https://partner.example /", "no spaces, backslashes"),
        ("https://partner.example/\r\nHost: x", "no spaces, backslashes"),
        ("https://part\tner.example/", "no spaces, backslashes"),
        ("https://partner.example/#top", "no fragment"),
        ("https://partner.example/" + "x" * 2048, "at most 2048 characters"),
        ("https://partner.example:22/", "the port is not one"),
        ("https://partner.example:25/", "the port is not one"),
        ("https://partner.example:0/", "the port is not one"),
        ("https://partner.example:6667/", "the port is not one"),
        ("https://partner.example:65536/", "this is not a URL"),
        ("https://partner.example:https/", "this is not a URL"),
        ("https://[::1/", "this is not a URL"),
        ("https://127.0.0.1%2f.partner.example/", "neither a name nor an address"),
        ("https://partner.example%00.evil.example/", "neither a name nor an address"),
        ("https://partner..example/", "neither a name nor an address"),
        ("https://-partner.example/", "neither a name nor an address"),
        (f"https://{'x' * 64}.example/", "neither a name nor an address"),
        ("https://localhost/", "a name of a local network"),
        ("https://LOCALHOST./", "a name of a local network"),
        ("https://api.localhost/", "a name of a local network"),
        ("https://postgres:5432/", "a name of a local network"),
        ("https://printer.local/", "a name of a local network"),
        ("https://metadata.google.internal/", "a name of a local network"),
        ("https://2130706433/", "four decimal numbers"),
        ("https://0x7f000001/", "four decimal numbers"),
        ("https://0x7f.0.0.1/", "four decimal numbers"),
        ("https://0177.0.0.1/", "four decimal numbers"),
        ("https://127.1/", "four decimal numbers"),
        ("https://127.0.0.0x1/", "four decimal numbers"),
        ("https://0/", "four decimal numbers"),
        ("https://1.2.3.4.5/", "four decimal numbers"),
        ("https://256.256.256.256/", "four decimal numbers"),
        ("https://127.0.0.1/", "loopback"),
        ("https://127.0.0.1./", "loopback"),
        ("https://\uff11\uff12\uff17\u30020.0.1/", "loopback"),
        ("https://[::1]/", "loopback"),
        ("https://[::ffff:127.0.0.1]/", "loopback"),
        ("https://[::ffff:7f00:1]/", "loopback"),
        ("https://10.0.0.1/", "private"),
        ("https://169.254.169.254/latest/meta-data/", "cloud metadata"),
        ("https://[fd00:ec2::254]/", "cloud metadata"),
        ("https://[fe80::1%25eth0]/", "an address with a zone"),
    ],
)
def test_a_url_of_no_use_is_refused_with_its_reason(url: str, expected: str) -> None:
    with pytest.raises(BadUrlError, match=expected):
        check_url(url)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "https://10.0.0.1/", "http://intranet/", "http://a.internal/"]
)
def test_allowed_networks_open_their_addresses_and_local_names(url: str) -> None:
    assert check_url(url, allowed_networks=INTRANET) == url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1/", "loopback"),
        ("http://1.1.1.1/", "https:// is required"),
        ("http://0x0a.1/", "four decimal numbers"),
    ],
)
def test_allowed_networks_open_nothing_else(url: str, expected: str) -> None:
    with pytest.raises(BadUrlError, match=expected):
        check_url(url, allowed_networks=INTRANET)


def test_http_can_be_allowed_for_what_is_public_alone() -> None:
    url = "http://partner.example/"

    assert check_url(url, http_allowed=True) == url
    with pytest.raises(BadUrlError, match="loopback"):
        check_url("http://127.0.0.1/", http_allowed=True)
