"""Which addresses may be called: every spelling of one that is not public is refused (attack 20)."""

from __future__ import annotations

import ipaddress

import pytest

from portal.core.addresses import AddressRules, OutgoingFailed, is_public, read_place
from portal.core.outgoing import OutgoingClient

PUBLIC = ("93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e")
NOT_PUBLIC = (
    *("127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254"),
    *("100.64.0.1", "100.100.100.200", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
    *("192.0.0.1", "192.0.0.192", "192.0.0.9", "192.0.2.1", "198.51.100.7", "203.0.113.9", "198.18.0.1", "198.19.9.9"),
    *("192.88.99.1", "168.63.129.16"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1"),
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "::127.0.0.1", "::7f00:1", "::ffff:a9fe:a9fe"),
    *("2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
    *("64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::7f00:1", "100::1", "2001:db8::1", "3fff::1", "2001:2::1"),
    *("2001:10::1", "2001:20::1", "3ffe::1", "5f00::1", "4000::1"),
)
REFUSED_HOSTS = (
    *("127.0.0.1", "localhost", "LocalHost", "LOCALHOST.", "localhost.", "api.localhost", "127.0.0.1.", "127.1"),
    *("127.0.1", "0", "0.0.0.0", "0x7f.0.0.1", "0x7F000001", "0X7F.1", "017700000001", "0177.0.0.1", "127.0.0.01"),
    *("2130706433", "127.0.0.0x1", "3232235521", "192.168.257", "4294967295", "1.2.3.4.5", "256.1.1.1", "0x", "1.2.3."),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::FFFF:7F00:1]", "[fe80::1%25eth0]", "[fe80::1]"),
    *("[::127.0.0.1]", "[2002:7f00:1::]", "[64:ff9b::10.0.0.1]", "[127.0.0.1]", "[localhost]", "[", "[]", "[::1"),
    *("169.254.169.254", "192.0.0.192", "100.100.100.200", "168.63.129.16", "%31%32%37.0.0.1", "127%2e0.0.1"),
    *(
        "１２７.０.０.１",
        "ⓛocalhost",
        "127。0。0。1",
        "",
        ".",
        "..",
        "a..b",
        "-a.example",
        "a" * 64 + ".example",
        "a b.example",
    ),
)
REFUSED_URLS = (
    *("ftp://erp.example/", "file:///etc/passwd", "gopher://erp.example/", "javascript:alert(1)", "//erp.example/", ""),
    *(
        "erp.example",
        "http:erp.example",
        "http:/erp.example",
        "https:///path",
        "data:,x",
        "unix:///run/x.sock",
        "http://",
    ),
    *("http://user@erp.example/", "http://user:pass@erp.example/", "http://@erp.example/", "http://a@b@erp.example/"),
    *("http://erp.example:22/", "http://erp.example:25/", "http://erp.example:0/", "http://erp.example:1023/"),
    *(
        "http://erp.example:65536/",
        "http://erp.example:99999999999/",
        "http://erp.example:-1/",
        "http://erp.example:a/",
    ),
    *(
        "http://erp.example:８０/",
        "http://erp.example:8 0/",
        "http://erp.example/#x",
        "http://erp.example/\n",
        "\thttp://e.x/",
    ),
    *(
        " http://erp.example/",
        "http://erp.example/a b",
        "http://erp.example/\x00",
        "http://erp.example/\x7f",
        "http://é.example/",
    ),
    *(
        "http://erp.example\\@127.0.0.1/",
        "http://erp.example/\\",
        "http://erp.example/%zz",
        "http://erp.example/%",
        "http://e.x/ü",
    ),
    *(
        "http://erp.example/\r\nX-Injected: 1",
        "http://erp.example/" + "a" * 2_000,
        "http://erp.example/\ud800",
        "http://e.x:1e4/",
    ),
)
ACCEPTED = {
    "https://erp.example": "https://erp.example/",
    "HTTPS://ERP.Example.:443/In?b=2&a=%2F": "https://erp.example/In?b=2&a=%2F",
    "http://erp.example:8080?x=1": "http://erp.example:8080/?x=1",
    "http://erp.example:80/": "http://erp.example/",
    "https://erp.example:1024/": "https://erp.example:1024/",
    "https://[2606:4700:4700:0::1111]/": "https://[2606:4700:4700::1111]/",
    "https://my_erp.example/a//b/../c;d=1": "https://my_erp.example/a//b/../c;d=1",
    "https://xn--bcher-kva.example/": "https://xn--bcher-kva.example/",
}


def refusal(url: str, *resolved: str, allow: tuple[str, ...] = ()) -> OutgoingFailed:
    """What a check of the URL raises, where its name resolves to the addresses."""
    with pytest.raises(OutgoingFailed) as raised:
        OutgoingClient(allow, resolve=lambda host: resolved).check(url)
    return raised.value


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_may_not_be_called(address: str) -> None:
    assert not AddressRules(()).permits(ipaddress.ip_address(address))
    assert refusal("https://erp.example/", address).kind == "forbidden"


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_called(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))
    OutgoingClient((), resolve=lambda host: [address]).check("https://erp.example/")


@pytest.mark.parametrize("host", REFUSED_HOSTS)
def test_no_spelling_of_a_host_gets_round_the_rules(host: str) -> None:
    """The resolver swears that every name is public: what is refused is refused for its spelling."""
    for url in (f"http://{host}/", f"https://{host}:8443/x?y"):
        assert refusal(url, "93.184.215.14").kind == "forbidden", url


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_no_spelling_of_a_url_gets_round_the_rules(url: str) -> None:
    assert refusal(url, "93.184.215.14").kind == "forbidden"


@pytest.mark.parametrize("url", ACCEPTED)
def test_a_good_url_has_one_spelling(url: str) -> None:
    assert read_place(url).url == ACCEPTED[url]


def test_one_forbidden_address_among_good_ones_is_enough() -> None:
    assert refusal("https://erp.example/", "93.184.215.14", "10.0.0.1").kind == "forbidden"


def test_a_name_that_does_not_resolve_is_refused() -> None:
    def fail(host: str) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(OutgoingFailed) as raised:
        OutgoingClient((), resolve=fail).check("https://erp.example/")
    assert raised.value.kind == "unresolved"
    assert refusal("https://erp.example/").kind == "unresolved"
    assert refusal("https://erp.example/", "not an address").kind == "unresolved"


def test_a_refusal_names_the_remedy_and_no_address_of_the_intranet() -> None:
    text = refusal("https://erp.example/", "10.1.2.3").text
    assert "OUTGOING_ALLOW" in text
    assert "10.1.2.3" not in text


def test_a_network_the_operator_lists_may_be_called_and_its_neighbours_not() -> None:
    client = OutgoingClient(("10.1.0.0/16", "fd00::/8"), resolve=lambda host: ["10.1.2.3", "fd00::5"])
    client.check("http://erp.example:8080/")
    client.check("http://10.1.255.255/")
    assert refusal("http://10.2.0.1/", allow=("10.1.0.0/16",)).kind == "forbidden"
    assert refusal("http://[::ffff:10.1.2.3]/", allow=("10.1.0.0/16",)).kind == "forbidden"
    assert refusal("http://erp.example/", "10.1.2.3", "10.2.2.3", allow=("10.1.0.0/16",)).kind == "forbidden"
    OutgoingClient(("127.0.0.0/8",)).check("http://localhost:8000/")
