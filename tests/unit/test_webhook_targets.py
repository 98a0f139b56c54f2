"""Where webhooks may go: every notation of an address, names that lead inside, and names that change their mind."""

import asyncio
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledgerbee.webhooks import targets
from ledgerbee.webhooks.targets import (
    MAX_URL,
    Address,
    LookUp,
    SystemLookUp,
    TargetRefusedError,
    check_target,
    is_public,
    parse_target,
)

PUBLIC = "93.184.215.14"
PUBLIC_6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"


@pytest.fixture(autouse=True)
def public_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_is_loopback_allowed", False)


@pytest.fixture
def with_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_is_loopback_allowed", True)


def names(*addresses: str) -> LookUp:
    """A resolver that knows one answer."""

    async def look_up(name: str) -> Sequence[Address]:
        return [ip_address(address) for address in addresses]

    return look_up


async def nobody(name: str) -> Sequence[Address]:
    raise AssertionError(f"{name} is an address: nobody is asked")


async def refusal(url: str, look_up: LookUp = nobody) -> str:
    with pytest.raises(TargetRefusedError) as refused:
        await check_target(url, look_up=look_up)
    return str(refused.value)


class TestForm:
    @pytest.mark.parametrize(
        ("url", "authority", "host", "port", "path"),
        [
            ("https://hooks.example.com/in?a=b&c=%2F", "hooks.example.com", "hooks.example.com", 443, "/in?a=b&c=%2F"),
            ("https://hooks.example.com", "hooks.example.com", "hooks.example.com", 443, "/"),
            ("https://hooks.example.com?a=b", "hooks.example.com", "hooks.example.com", 443, "/?a=b"),
            ("HTTPS://Hooks.EXAMPLE.com.:443/A", "hooks.example.com", "hooks.example.com", 443, "/A"),
            ("https://hooks.example.com:8443/", "hooks.example.com:8443", "hooks.example.com", 8443, "/"),
            ("https://hooks.example.com:/x", "hooks.example.com", "hooks.example.com", 443, "/x"),
            ("https://rødgrød.example/fløde", "xn--rdgrd-vuad.example", "xn--rdgrd-vuad.example", 443, "/fl%C3%B8de"),
            ("https://a_b.x--y.example/", "a_b.x--y.example", "a_b.x--y.example", 443, "/"),
            (f"https://[{PUBLIC_6.upper()}]:444/", f"[{PUBLIC_6}]:444", PUBLIC_6, 444, "/"),
            ("https://0x5db8d70e/", PUBLIC, PUBLIC, 443, "/"),
            ("https://1572394766:65535/", f"{PUBLIC}:65535", PUBLIC, 65535, "/"),
            ("https://0135.0xb8.55054./", PUBLIC, PUBLIC, 443, "/"),
            ("https://９３。184.215．１４/", PUBLIC, PUBLIC, 443, "/"),
            ("https://xn--80ak6aa92e.example:1/?", "xn--80ak6aa92e.example:1", "xn--80ak6aa92e.example", 1, "/?"),
        ],
    )
    def test_a_url_is_taken_apart(self, url: str, authority: str, host: str, port: int, path: str) -> None:
        target = parse_target(url)
        assert (target.authority, target.host, target.port, target.path) == (authority, host, port, path)

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("", "https://"),
            ("hooks.example.com", "https://"),
            ("//hooks.example.com/", "https://"),
            ("https:/hooks.example.com/", "https://"),
            ("https:hooks.example.com", "https://"),
            ("http://hooks.example.com/", "https://"),
            ("http://127.0.0.1/", "https://"),
            ("ftp://hooks.example.com/", "https://"),
            ("file:///etc/passwd", "https://"),
            ("gopher://hooks.example.com/", "https://"),
            ("javascript://hooks.example.com/%0aalert(1)", "https://"),
            ("https://user@hooks.example.com/", "password"),
            ("https://user:secret@hooks.example.com/", "password"),
            ("https://hooks.example.com@127.0.0.1/", "password"),
            ("https://@hooks.example.com/", "password"),
            ("https://hooks.example.com/#part", "fragment"),
            ("https://127.0.0.1#@hooks.example.com/", "fragment"),
            ("https://hooks.example.com\\@127.0.0.1/", "backslashes"),
            ("https:\\\\hooks.example.com", "backslashes"),
            (" https://hooks.example.com/", "spaces"),
            ("https://hooks.example.com/a b", "spaces"),
            ("https://hooks.exa\tmple.com/", "spaces"),
            ("https://hooks.example.com/\r\nx: y", "spaces"),
            ("https://hooks.example.com/\0", "spaces"),
            ("https://hooks.example.com/\x7f", "spaces"),
            ("https://hooks.example.com/\ud800", "spaces"),
            ("https:///path", "host"),
            ("https://:443/", "host"),
            ("https://./", "host"),
            ("https://a..b/", "host"),
            ("https://.example.com/", "host"),
            ("https://example.com../", "host"),
            ("https://-a.example/", "host"),
            ("https://a-.example/", "host"),
            ("https://exa%6dple.com/", "host"),
            ("https://%31%32%37.0.0.1/", "host"),
            ("https://a,b.example/", "host"),
            ("https://a;b.example/", "host"),
            ("https://a'b.example/", "host"),
            ("https://☃.example/", "host"),
            ("https://a\u202eb.example/", "host"),
            ("https://a\u3000b.example/", "host"),
            (f"https://{'a' * 64}.example/", "host"),
            (f"https://{'a.' * 127}example/", "host"),
            ("https://::1/", "host"),
            ("https://[::1/", "host"),
            ("https://[]/", "host"),
            ("https://[127.0.0.1]/", "host"),
            ("https://[hooks.example.com]/", "host"),
            ("https://[fe80::1%25eth0]/", "host"),
            ("https://[fe80::1%eth0]/", "host"),
            ("https://[::1].example/", "host"),
            ("https://256.0.0.1/", "host"),
            ("https://1.2.3.4.5/", "host"),
            ("https://1.2.3.08/", "host"),
            ("https://a.1/", "host"),
            ("https://1..1/", "host"),
            ("https://4294967296/", "host"),
            ("https://1.16777216/", "host"),
            (f"https://{'9' * 1000}/", "host"),
            ("https://hooks.example.com:0/", "port"),
            ("https://hooks.example.com:65536/", "port"),
            ("https://hooks.example.com:443443/", "port"),
            ("https://hooks.example.com:-1/", "port"),
            ("https://hooks.example.com:４４３/", "port"),
            ("https://hooks.example.com:80:90/", "host"),
            (f"https://hooks.example.com/{'a' * MAX_URL}", "2048"),
        ],
    )
    async def test_what_is_refused_says_what_a_url_must_be(self, url: str, words: str) -> None:
        text = await refusal(url)
        assert text.startswith("must ")
        assert words in text

    @given(st.text(max_size=20) | st.text(alphabet="ahtps:/.@[]%0x127#?\\١１。é-", max_size=25).map("https://".__add__))
    @example("https://" + "①" * 300)
    @example("https://xn--/")
    def test_any_text_is_refused_or_can_be_written_into_a_request(self, url: str) -> None:
        try:
            target = parse_target(url)
        except TargetRefusedError:
            return
        line = f"{target.authority}{target.path}"
        assert all("!" <= character <= "~" for character in line)
        assert parse_target(f"{target.scheme}://{line}") == target


def in_octal(number: int) -> str:
    return f"0{number:o}"


#: Notations of an IPv4 address that some library or another reads.
SPELLINGS: list[Callable[[IPv4Address], str]] = [
    str,
    lambda address: f"{address}.",
    lambda address: str(int(address)),
    lambda address: hex(int(address)).upper(),
    lambda address: in_octal(int(address)),
    lambda address: ".".join(map(hex, address.packed)),
    lambda address: ".".join(f"{number:#06X}" for number in address.packed),
    lambda address: ".".join(map(in_octal, address.packed)),
    lambda address: ".".join(f"{number:08o}" for number in address.packed),
    lambda address: f"{address.packed[0]}.{int(address) & 0xFFFFFF}",
    lambda address: f"{address.packed[0]:#x}.{in_octal(address.packed[1])}.{int(address) & 0xFFFF}",
    lambda address: str(address).translate({ord("0") + digit: chr(0xFF10 + digit) for digit in range(10)}),
    lambda address: str(address).replace(".", "。"),
    lambda address: f"[::ffff:{address}]",
    lambda address: f"[::FFFF:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}]",
    lambda address: f"[0:0:0:0:0:ffff:{address}]",
    lambda address: f"[::{address}]",
    lambda address: f"[::ffff:0:{address}]",
    lambda address: f"[64:ff9b::{address}]",
    lambda address: f"[64:ff9b:1::{address}]",
    lambda address: f"[2002:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::1]",
    lambda address: f"[{IPv6Address((0x20010000 << 96) + (~int(address) & 0xFFFFFFFF))}]",
]

INSIDE = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
INSIDE_6 = [
    "::/128",
    "::1/128",
    "::/96",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:2::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fd00:ec2::254/128",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]


class TestAddresses:
    @given(st.sampled_from(INSIDE).flatmap(lambda network: st.ip_addresses(network=network)))
    @example(IPv4Address("127.0.0.1"))
    @example(IPv4Address("169.254.169.254"))
    @example(IPv4Address(0))
    @example(IPv4Address("255.255.255.255"))
    async def test_an_address_inside_is_refused_in_every_notation(self, address: IPv4Address) -> None:
        texts = {spelled(address): await refusal(f"https://{spelled(address)}/") for spelled in SPELLINGS}
        assert set(texts.values()) == {targets._NOT_PUBLIC}

    @given(st.sampled_from(INSIDE_6).flatmap(lambda network: st.ip_addresses(network=network)))
    async def test_so_is_one_of_version_6(self, address: IPv6Address) -> None:
        assert await refusal(f"https://[{address.exploded}]/") == targets._NOT_PUBLIC
        assert await refusal("https://hooks.example.com/", names(str(address))) == targets._NOT_PUBLIC

    @given(st.ip_addresses(v=6))
    async def test_of_version_6_only_what_is_given_out_can_be_public(self, address: IPv6Address) -> None:
        assert not is_public(address) or address in IPv6Network("2000::/3")

    @pytest.mark.parametrize("network", INSIDE)
    def test_the_neighbours_of_a_network_are_no_part_of_it(self, network: str) -> None:
        """Both ends of each network are refused, and what lies beside it unless that is in another one."""
        first, last = IPv4Network(network)[0], IPv4Network(network)[-1]
        assert not is_public(first)
        assert not is_public(last)
        for beside in (int(first) - 1, int(last) + 1):
            if 0 <= beside < 2**32:
                inside = any(IPv4Address(beside) in IPv4Network(other) for other in INSIDE)
                assert is_public(IPv4Address(beside)) is not inside

    @pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "100.63.255.255", "172.32.0.1", PUBLIC_6, "2a00::1"])
    async def test_a_public_one_is_taken(self, address: str) -> None:
        await check_target(f"https://[{address}]/" if ":" in address else f"https://{address}/", look_up=nobody)
        await check_target("https://hooks.example.com/", look_up=names(address))


class TestNames:
    @pytest.mark.parametrize(
        "addresses",
        [
            (),
            ("127.0.0.1",),
            ("::1",),
            (PUBLIC, "10.0.0.1"),
            (PUBLIC, PUBLIC_6, "fd00::1"),
            ("192.168.1.1", PUBLIC),
            (PUBLIC_6, "::ffff:127.0.0.1"),
        ],
    )
    async def test_one_address_inside_refuses_a_name_in_the_words_of_a_name_that_nobody_knows(
        self, addresses: Sequence[str]
    ) -> None:
        assert await refusal("https://hooks.example.com/", names(*addresses)) == targets._NOT_PUBLIC

    async def test_a_name_whose_servers_are_silent_is_given_up(self) -> None:
        async def silent(name: str) -> Sequence[Address]:
            await asyncio.Event().wait()
            return ()

        with pytest.raises(TargetRefusedError, match="isn't known"):
            await check_target("https://hooks.example.com/", look_up=silent, deadline_s=0.01)

    async def test_the_name_that_is_asked_for_is_the_one_in_ascii(self) -> None:
        asked = []

        async def look_up(name: str) -> Sequence[Address]:
            asked.append(name)
            return [ip_address(PUBLIC)]

        await check_target("https://RØDGRØD.example./", look_up=look_up)
        assert asked == ["xn--rdgrd-vuad.example"]


@pytest.mark.usefixtures("with_loopback")
class TestLoopbackAllowed:
    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:8000/",
            "http://[::1]:8000/",
            "http://127.1/",
            "https://127.255.0.1/",
            "https://0x7f000001/",
            f"https://{PUBLIC}/",
        ],
    )
    async def test_this_machine_is_taken_by_plain_http_too(self, url: str) -> None:
        await check_target(url, look_up=nobody)

    async def test_by_its_name_too(self) -> None:
        await check_target("http://localhost:8000/", look_up=names("127.0.0.1", "::1"))

    @pytest.mark.parametrize(
        "url",
        [
            f"http://{PUBLIC}/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "http://[::ffff:127.0.0.1]/",
            "https://10.0.0.1/",
            "https://0.0.0.0/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/",
        ],
    )
    async def test_nothing_else_is(self, url: str) -> None:
        await refusal(url)

    @pytest.mark.parametrize("addresses", [(PUBLIC,), ("127.0.0.1", PUBLIC), ("127.0.0.1", "10.0.0.1"), ()])
    async def test_plain_http_is_for_names_of_this_machine_alone(self, addresses: Sequence[str]) -> None:
        assert "http://" in await refusal("http://hooks.example.com/", names(*addresses))


class TestSystem:
    async def test_this_machine_has_its_name(self) -> None:
        assert ip_address("127.0.0.1") in await SystemLookUp()("localhost")
        assert await SystemLookUp()("127.1") == [ip_address("127.0.0.1")]

    async def test_no_name_is_no_address(self) -> None:
        assert await SystemLookUp()(f"{'a' * 64}.example") == ()

    async def test_who_asks_for_a_name_meanwhile_gets_the_same_answer(self) -> None:
        look_up = SystemLookUp()
        first, second = await asyncio.gather(look_up("localhost"), look_up("localhost"))
        assert first is second
        assert await look_up("localhost") is not first

    async def test_who_stops_waiting_takes_it_from_nobody(self) -> None:
        look_up = SystemLookUp()
        given_up, waiting = (asyncio.create_task(look_up("localhost")) for _ in range(2))
        await asyncio.sleep(0)
        given_up.cancel()
        assert ip_address("127.0.0.1") in await waiting

    async def test_many_names_at_once_all_have_their_turn(self) -> None:
        look_up = SystemLookUp()
        found = await asyncio.gather(*(look_up(f"127.0.0.{number}") for number in range(1, 200)))
        assert [str(address) for (address,) in found] == [f"127.0.0.{number}" for number in range(1, 200)]
