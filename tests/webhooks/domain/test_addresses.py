"""Which addresses and URLs somebody else may have us call: the table that protects the inner network."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidInputError
from shared.outbound.addresses import AddressPolicy, check_addresses, parse_target, read_address

PRODUCTION = AddressPolicy()
LOCAL = AddressPolicy(loopback_allowed=True)
ON_PREMISES = AddressPolicy(allowed=(ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")))

DENIED = [
    "0.0.0.0",  # noqa: S104 - an address to refuse, not to listen on
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.0.1",
    "169.254.169.254",  # cloud metadata
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.255",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.255",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",  # IPv4-compatible, deprecated
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
    "64:ff9b:1::1",
    "100::1",
    "1fff:ffff::1",
    "2001::1",  # Teredo
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "2002:7f00:1::1",  # 6to4 of 127.0.0.1
    "3fff::1",
    "3fff:fff:ffff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PERMITTED = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::ffff:1.1.1.1",
    "2000::1",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2003::1",
    "2606:4700:4700::1111",
    "3ffe::1",
]


@pytest.mark.parametrize("address", DENIED)
def test_an_address_beyond_the_public_internet_is_denied(address: str) -> None:
    assert not PRODUCTION.permits(address, is_ordinary=True)


@pytest.mark.parametrize("address", PERMITTED)
def test_a_public_address_is_permitted_for_ordinary_urls_alone(address: str) -> None:
    assert PRODUCTION.permits(address, is_ordinary=True)
    assert not PRODUCTION.permits(address, is_ordinary=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_permitted_on_a_developers_machine_in_every_form(address: str) -> None:
    assert LOCAL.permits(address, is_ordinary=False)


@pytest.mark.parametrize("address", ["0.0.0.0", "10.0.0.1", "169.254.169.254", "::"])  # noqa: S104
def test_a_developers_machine_opens_loopback_and_nothing_else(address: str) -> None:
    assert not LOCAL.permits(address, is_ordinary=False)
    assert not LOCAL.permits(address, is_ordinary=True)


@pytest.mark.parametrize(
    ("address", "permitted"),
    [
        ("10.1.0.1", True),
        ("10.1.255.255", True),
        ("::ffff:10.1.0.1", True),
        ("fd00:1::5", True),
        ("10.2.0.0", False),
        ("10.0.255.255", False),
        ("fd00:2::5", False),
        ("127.0.0.1", False),
    ],
)
def test_an_operator_opens_exactly_the_networks_that_are_named(address: str, permitted: bool) -> None:
    assert ON_PREMISES.permits(address, is_ordinary=False) is permitted
    assert ON_PREMISES.permits(address, is_ordinary=True) is permitted


@pytest.mark.parametrize("text", ["example.com", "127.1", "0x7f000001", "2130706433", "", "1.2.3"])
def test_what_is_not_an_address_literal_is_a_name_and_never_permitted_as_it_stands(text: str) -> None:
    assert read_address(text) is None
    assert not LOCAL.permits(text, is_ordinary=True)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_the_same_when_it_is_mapped_into_ipv6(address: object) -> None:
    plain = PRODUCTION.permits(str(address), is_ordinary=True)

    assert PRODUCTION.permits(f"::ffff:{address}", is_ordinary=True) is plain


@pytest.mark.parametrize(
    ("url", "host", "port", "is_ordinary"),
    [
        ("https://example.com/hook?a=b", "example.com", 443, True),
        ("https://example.com:8443/hook", "example.com", 8443, True),
        ("https://example.com:80/hook", "example.com", 80, True),
        ("https://example.com:9000/hook", "example.com", 9000, False),
        ("http://example.com/hook", "example.com", 80, False),
        ("HTTP://127.0.0.1:4010/receiver/a", "127.0.0.1", 4010, False),
        ("https://[2606:4700::1]/x", "2606:4700::1", 443, True),
        ("https://bücher.example/", "xn--bcher-kva.example", 443, True),
    ],
)
def test_a_url_says_where_it_leads_and_whether_it_is_ordinary(
    url: str, host: str, port: int, is_ordinary: bool
) -> None:
    target = parse_target(url)

    assert (target.host, target.port, target.is_ordinary) == (host, port, is_ordinary)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "/hook",
        "//example.com/hook",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/_",
        "https://",
        "https:///hook",
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://:pass@example.com/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com:port/",
        "https://exa mple.com/",
        "https://example.com/\nHost: evil",
        "https://example.com\\@127.0.0.1/",
        "https://[::1/",
        "https://example.com/" + "a" * 2048,
    ],
)
def test_a_url_of_a_forbidden_form_is_refused_naming_the_field(url: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_target(url)

    assert refused.value.details[0]["field"] == "url"


def test_a_name_is_refused_when_any_of_its_addresses_is_forbidden() -> None:
    target = parse_target("https://rebinding.example/")

    with pytest.raises(InvalidInputError, match="public internet"):
        check_addresses(target, ["1.1.1.1", "10.0.0.1"], PRODUCTION)


def test_plain_http_to_a_public_address_is_refused_with_what_is_expected() -> None:
    with pytest.raises(InvalidInputError, match="must be https on port 443, 8443 or 80"):
        check_addresses(parse_target("http://example.com/"), ["1.1.1.1"], LOCAL)
