"""QuickPay's adapter against a server that answers as its documentation says: what is asked, and what comes of it."""

import hashlib
import hmac
import json
import logging
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import pytest_asyncio
from tests import patient
from tests.providers.quickpay_server import (
    API_KEY,
    PRIVATE_KEY,
    QuickPayServer,
    as_json,
    invalid,
    operation,
    quickpay_server,
)
from tests.receivers import Answer

from ledgerbee.payments.providers.model import (
    Access,
    AgreementRequest,
    AgreementStatus,
    Card,
    ChargeRequest,
    ChargeStatus,
    MovementType,
    Provider,
    ProviderRefusedError,
    ProviderUnclearError,
    RefundRequest,
    SignatureError,
    Subject,
)
from ledgerbee.payments.providers.quickpay import QuickPay

ACCESS = Access({"apiKey": API_KEY, "privateKey": PRIVATE_KEY})
HOOK = "https://books.example/hooks/quickpay/1?v=1"


@pytest_asyncio.fixture(scope="module")
async def running() -> AsyncIterator[QuickPayServer]:
    async with quickpay_server() as server:
        yield server


@pytest.fixture
def server(running: QuickPayServer) -> Iterator[QuickPayServer]:
    """The server, without anything in it."""
    running.asked.clear()
    running.payments.clear()
    running.subscriptions.clear()
    yield running
    running.reply = None
    running.replies.clear()


@pytest.fixture
def provider(server: QuickPayServer) -> Provider:
    return QuickPay(server.url, timeout_s=20)


def card_request(reference: str, language: str = "da") -> AgreementRequest:
    return AgreementRequest(
        reference=reference,
        currency="DKK",
        language=language,
        customer_name="Havn A/S",
        email="ap@havn.example",
        return_url="https://shop.example/saved",
        cancel_url="https://shop.example/not-saved",
        callback_url=HOOK,
    )


def charge_request(reference: str, agreement_id: str, amount: str = "1250.00", currency: str = "DKK") -> ChargeRequest:
    return ChargeRequest(
        reference=reference,
        agreement_id=agreement_id,
        amount=Decimal(amount),
        currency=currency,
        text="Faktura 1042",
        callback_url=HOOK,
    )


def refund_request(reference: str, charge_id: str, amount: str) -> RefundRequest:
    return RefundRequest(
        reference=reference, charge_id=charge_id, amount=Decimal(amount), currency="DKK", callback_url=HOOK
    )


async def saved_card(provider: Provider, server: QuickPayServer, reference: str = "CARD1") -> str:
    """The id of a subscription with a card."""
    page = await provider.start_agreement(ACCESS, card_request(reference))
    server.enter_card(int(page.provider_id))
    return page.provider_id


# Agreements


async def test_a_card_is_saved_on_a_page_of_quickpay(provider: Provider, server: QuickPayServer) -> None:
    page = await provider.start_agreement(ACCESS, card_request("A001", "nb-NO"))
    assert page.url == f"https://payment.quickpay.net/subscriptions/{page.provider_id}"
    made = server.last("POST", "/subscriptions")
    assert made.body == {"order_id": "A001", "currency": "DKK", "description": "Havn A/S"}
    assert made.headers["quickpay-callback-url"] == HOOK
    assert server.last("PUT", f"/subscriptions/{page.provider_id}/link").body == {
        "amount": 0,
        "language": "no",
        "continue_url": "https://shop.example/saved",
        "cancel_url": "https://shop.example/not-saved",
        "callback_url": HOOK,
    }
    waiting = await provider.find_agreement(ACCESS, page.provider_id)
    assert waiting is not None
    assert (waiting.status, waiting.card, waiting.reference) == (AgreementStatus.PENDING, None, "A001")
    server.enter_card(int(page.provider_id))
    found = await provider.find_agreement(ACCESS, page.provider_id)
    assert found is not None
    assert (found.provider_id, found.status) == (page.provider_id, AgreementStatus.ACTIVE)
    assert found.card == Card("XXXX XXXX XXXX 0008", "dankort", 11, 2029)


async def test_a_page_that_is_asked_for_twice_is_the_same(provider: Provider, server: QuickPayServer) -> None:
    pages = [await provider.start_agreement(ACCESS, card_request("A002")) for _ in range(2)]
    assert pages[0] == pages[1]
    assert len(server.subscriptions) == 1


async def test_a_saved_card_ends_once(provider: Provider, server: QuickPayServer) -> None:
    agreement = await saved_card(provider, server)
    for _ in range(2):
        await provider.cancel_agreement(ACCESS, agreement)
        found = await provider.find_agreement(ACCESS, agreement)
        assert found is not None
        assert found.status is AgreementStatus.CANCELLED
    with pytest.raises(ProviderRefusedError):
        await provider.charge(ACCESS, charge_request("C001", agreement))


@pytest.mark.parametrize("provider_id", ["7", "", "cus_1", "1/../../account", "²"])
async def test_what_isnt_there(provider: Provider, server: QuickPayServer, provider_id: str) -> None:
    assert await provider.find_agreement(ACCESS, provider_id) is None
    await provider.cancel_agreement(ACCESS, provider_id)
    assert await provider.find_refund(ACCESS, provider_id, "R001") is None
    assert await provider.find_dispute(ACCESS, provider_id) is None
    with pytest.raises(ProviderRefusedError):
        await provider.charge(ACCESS, charge_request("C002", provider_id))
    with pytest.raises(ProviderRefusedError):
        await provider.refund(ACCESS, refund_request("R001", provider_id, "1.00"))
    assert server.payments == {}


# Charges


async def test_a_charge_of_a_saved_card(provider: Provider, server: QuickPayServer) -> None:
    agreement = await saved_card(provider, server)
    charge = await provider.charge(ACCESS, charge_request("C010", agreement))
    asked = server.last("POST", f"/subscriptions/{agreement}/recurring")
    assert asked.body == {"order_id": "C010", "amount": 125000, "auto_capture": True}
    assert asked.headers["quickpay-callback-url"] == HOOK
    assert (charge.reference, charge.status, charge.decline) == ("C010", ChargeStatus.SUCCEEDED, None)
    assert (charge.amount, charge.currency, charge.fee) == (Decimal("1250.00"), "DKK", None)
    assert charge.is_test
    assert await provider.find_charge(ACCESS, "C010", charge.provider_id, agreement) == charge
    assert await provider.find_charge(ACCESS, "C010", None, agreement) == charge
    assert await provider.find_charge(ACCESS, "C010", "1", agreement) == charge
    assert await provider.find_charge(ACCESS, "C01", None, agreement) is None


@pytest.mark.parametrize(
    ("reference", "status", "code", "is_soft"),
    [
        ("DECLINED1", ChargeStatus.FAILED, "40413", True),
        ("LOST1", ChargeStatus.FAILED, "40412", False),
        ("SCA1", ChargeStatus.REQUIRES_ACTION, None, None),
        ("GATEWAY1", ChargeStatus.PENDING, None, None),
        ("PENDING1", ChargeStatus.PENDING, None, None),
    ],
)
async def test_how_a_charge_stands_follows_from_its_operations(
    provider: Provider,
    server: QuickPayServer,
    reference: str,
    status: ChargeStatus,
    code: str | None,
    is_soft: bool | None,
) -> None:
    agreement = await saved_card(provider, server)
    charge = await provider.charge(ACCESS, charge_request(reference, agreement))  # answered with 202
    decline = charge.decline
    assert (charge.status, decline and decline.code, decline and decline.is_soft) == (status, code, is_soft)
    assert await provider.find_charge(ACCESS, reference, None, agreement) == charge


async def test_what_was_authorized_and_not_captured_can_be_cancelled(
    provider: Provider, server: QuickPayServer
) -> None:
    agreement = await saved_card(provider, server)
    charge = await provider.charge(ACCESS, charge_request("SCA2", agreement))
    for provider_id in (charge.provider_id, "1", "no/id"):
        with pytest.raises(ProviderRefusedError):
            await provider.cancel_charge(ACCESS, "SCA2", provider_id)
    server.payments[int(charge.provider_id)]["operations"] = [operation(1, "authorize", 125000)]
    await provider.cancel_charge(ACCESS, "SCA2", charge.provider_id)
    found = await provider.find_charge(ACCESS, "SCA2", charge.provider_id, agreement)
    assert found is not None
    assert found.status is ChargeStatus.FAILED


async def test_what_cant_be_captured_is_cancelled_before_it_has_failed(
    provider: Provider, server: QuickPayServer
) -> None:
    agreement = await saved_card(provider, server)
    charge = await provider.charge(ACCESS, charge_request("UNCAPTURED1", agreement))
    decline = charge.decline
    assert (charge.status, decline and decline.code, decline and decline.is_soft) == (
        ChargeStatus.FAILED,
        "40413",
        True,
    )
    assert await provider.find_charge(ACCESS, "UNCAPTURED1", None, agreement) == charge
    assert len([one for one in server.asked if one.path.endswith("/cancel")]) == 1
    async with patient.async_client(auth=("", API_KEY), headers={"accept-version": "v10"}) as somebody:
        late = await somebody.post(f"{server.url}/payments/{charge.provider_id}/capture")
    assert late.status_code == 400
    assert await provider.find_charge(ACCESS, "UNCAPTURED1", None, agreement) == charge


async def test_what_may_still_be_captured_has_not_failed(provider: Provider, server: QuickPayServer) -> None:
    agreement = await saved_card(provider, server)
    waiting = await provider.charge(ACCESS, charge_request("UNCAPTUREDLATE1", agreement))
    assert waiting.status is ChargeStatus.PENDING
    server.payments[int(waiting.provider_id)]["operations"][-1] |= {"pending": False, "qp_status_code": "20000"}
    ended = await provider.find_charge(ACCESS, "UNCAPTUREDLATE1", waiting.provider_id, agreement)
    assert ended is not None
    assert (ended.status, ended.decline and ended.decline.code) == (ChargeStatus.FAILED, "40413")

    with pytest.raises(ProviderUnclearError):
        await provider.charge(ACCESS, charge_request("UNCAPTUREDSTAYS1", agreement))
    for refused in (as_json({"message": "No"}, 403), as_json({}, 500)):
        server.replies["/cancel"] = refused
        with pytest.raises(ProviderUnclearError):
            await provider.find_charge(ACCESS, "UNCAPTUREDSTAYS1", None, agreement)
    # Captured by somebody while it was to be cancelled.
    stays = next(one for one in server.payments.values() if one["order_id"] == "UNCAPTUREDSTAYS1")

    def capture() -> Answer:
        stays["operations"].append(operation(9, "capture", 125000))
        return invalid("state", "can't be cancelled")

    server.replies["/cancel"] = capture
    taken = await provider.find_charge(ACCESS, "UNCAPTUREDSTAYS1", None, agreement)
    assert taken is not None
    assert (taken.status, taken.amount) == (ChargeStatus.SUCCEEDED, Decimal("1250.00"))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://pay.example/1", "https://", "https://a b"])
async def test_a_page_that_no_browser_may_open(provider: Provider, server: QuickPayServer, url: str) -> None:
    server.replies["/link"] = as_json({"url": url})
    with pytest.raises(ProviderUnclearError):
        await provider.start_agreement(ACCESS, card_request("A004"))


@pytest.mark.parametrize("reference", ["STALLS1", "BREAKS1", "GARBAGE1"])
async def test_a_charge_without_an_answer_is_found(server: QuickPayServer, reference: str) -> None:
    provider = QuickPay(server.url, timeout_s=1)
    agreement = await saved_card(provider, server)
    with pytest.raises(ProviderUnclearError):
        await provider.charge(ACCESS, charge_request(reference, agreement))
    found = await provider.find_charge(ACCESS, reference, None, agreement)
    assert found is not None
    assert (found.reference, found.status) == (reference, ChargeStatus.SUCCEEDED)


async def test_a_charge_that_is_asked_for_twice_is_one(provider: Provider, server: QuickPayServer) -> None:
    agreement = await saved_card(provider, server)
    charges = [await provider.charge(ACCESS, charge_request("C020", agreement)) for _ in range(2)]
    assert charges[0] == charges[1]
    assert len(server.payments) == 1


async def test_a_reference_that_doesnt_fit_is_refused(provider: Provider, server: QuickPayServer) -> None:
    agreement = await saved_card(provider, server)
    with pytest.raises(ProviderRefusedError, match=r"\(400\): order_id"):
        await provider.charge(ACCESS, charge_request("C1", agreement))


@pytest.mark.parametrize(("amount", "currency"), [("1.005", "DKK"), ("1.2345", "BHD"), ("1.5", "JPY"), ("1", "XXX")])
async def test_an_amount_that_cant_be_counted_isnt_asked_for(
    provider: Provider, server: QuickPayServer, amount: str, currency: str
) -> None:
    with pytest.raises(ProviderRefusedError):
        await provider.charge(ACCESS, charge_request("C030", "1", amount, currency))
    assert server.asked == []


# Refunds, movements


async def test_a_refund_is_found_by_the_address_that_it_calls_back_to(
    provider: Provider, server: QuickPayServer
) -> None:
    agreement = await saved_card(provider, server)
    charge = await provider.charge(ACCESS, charge_request("C040", agreement))
    first = await provider.refund(ACCESS, refund_request("R040", charge.provider_id, "100.00"))
    asked = server.last("POST", f"/payments/{charge.provider_id}/refund")
    assert asked.body == {"amount": 10000}
    assert asked.headers["quickpay-callback-url"] == f"{HOOK}&reference=R040"
    assert (first.reference, first.charge_id) == ("R040", charge.provider_id)
    assert (first.status, first.amount, first.currency) == (ChargeStatus.SUCCEEDED, Decimal("100.00"), "DKK")
    failed = await provider.refund(ACCESS, refund_request("R041", charge.provider_id, "0.01"))
    assert failed.status is ChargeStatus.FAILED
    assert failed.decline is not None
    assert first.provider_id != failed.provider_id
    assert await provider.find_refund(ACCESS, charge.provider_id, "R040") == first
    assert await provider.find_refund(ACCESS, charge.provider_id, "R041") == failed
    assert await provider.find_refund(ACCESS, charge.provider_id, "R042") is None
    # The charge stays what it was.
    assert await provider.find_charge(ACCESS, "C040", None, agreement) == charge


async def test_movements_are_what_was_captured_and_given_back(provider: Provider, server: QuickPayServer) -> None:
    declined = ("40000", "Rejected by acquirer", None, None)
    for number in range(1, 151):
        back = f"{HOOK}&reference=R{number}"
        operations = [
            operation(1, "recurring", 1000, at="2026-11-01T10:00:00Z"),
            operation(2, "capture", 1000, at=f"2026-11-0{1 + number % 3}T10:00:00+01:00"),
            operation(3, "refund", 100, declined, back, "2026-11-02T11:00:00Z"),
            operation(4, "refund", 100, None, back, "2026-11-02T11:00:00Z"),
            operation(5, "refund", 400, callback=back, at="2026-11-03T00:00:00Z"),
        ]
        base = {"id": number, "order_id": f"M{number}", "currency": "DKK", "type": "Payment"}
        server.payments[number] = {**base, "operations": operations}
    since, until = datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, 0, 0, 1, tzinfo=UTC)
    found = [one async for one in provider.movements(ACCESS, since, until)]
    assert [one.query["page"] for one in server.asked] == ["1", "2"]
    assert server.asked[0].query == {
        "timestamp": "updated_at",
        "min_time": "2026-11-02 00:00:00 +0000",
        "sort_by": "id",
        "sort_dir": "asc",
        "operations_size": "100",
        "page_size": "100",
        "page": "1",
    }
    assert [one.type for one in found] == [MovementType.CHARGE] * 50 + [MovementType.REFUND] * 150
    assert {(one.amount, one.fee) for one in found} == {
        (Decimal("10.00"), Decimal(0)),
        (Decimal("-4.00"), Decimal(0)),
    }
    assert (found[0].at, found[0].reference, found[0].object_id) == (datetime(2026, 11, 2, 9, tzinfo=UTC), "M1", "1")
    assert (found[-1].at, found[-1].reference, found[-1].object_id) == (
        datetime(2026, 11, 3, tzinfo=UTC),
        "R150",
        "150/5",
    )


# Answers that aren't any


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (as_json({"message": f"No: {API_KEY}"}, 401), ProviderRefusedError),
        (as_json({"message": "No"}, 403), ProviderRefusedError),
        (as_json({"message": "No"}, 404), ProviderRefusedError),
        (as_json({"message": "No", "errors": {"amount": ["x"], f"a {API_KEY}": []}}, 400), ProviderRefusedError),
        (as_json({"message": "No", "errors": []}, 400), ProviderRefusedError),
        (as_json([], 402), ProviderRefusedError),
        (as_json({"message": "Conflict"}, 409), ProviderUnclearError),
        (as_json({"message": "Slow down"}, 429), ProviderUnclearError),
        (as_json({"message": "Down"}, 500), ProviderUnclearError),
        (as_json({"message": "Down"}, 503), ProviderUnclearError),
        (Answer(404, b"<html>"), ProviderUnclearError),
        (Answer(302, b"", (("location", "http://127.0.0.1:1/"),)), ProviderUnclearError),
        (Answer(202, b""), ProviderUnclearError),
        (Answer(202, b"\xff\xfe"), ProviderUnclearError),
        (Answer(202, b"<html>welcome</html>"), ProviderUnclearError),
        (Answer(202, b"[]"), ProviderUnclearError),
        (Answer(202, b"null"), ProviderUnclearError),
        (Answer(202, b"{}"), ProviderUnclearError),
        (Answer(202, b"[" * 100_000), ProviderUnclearError),
        (Answer(202, b'"' + b"x" * 1_000_000 + b'"'), ProviderUnclearError),
        (Answer(202, b"x", (("content-encoding", "gzip"),)), ProviderUnclearError),
        (as_json({"id": 1, "currency": "DKK", "operations": []}, 202), ProviderUnclearError),
        (
            as_json({"id": "1", "currency": "DKK", "operations": [operation(1, "capture", 1)]}, 202),
            ProviderUnclearError,
        ),
        (as_json({"id": 1, "currency": "???", "operations": [operation(1, "capture", 1)]}, 202), ProviderUnclearError),
        (as_json({"id": 1, "currency": "DKK", "operations": [7]}, 202), ProviderUnclearError),
    ],
)
async def test_what_an_answer_says_of_what_was_done(
    provider: Provider,
    server: QuickPayServer,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
    expected: type[Exception],
) -> None:
    caplog.set_level(logging.INFO)
    server.reply = answer
    with pytest.raises(expected) as caught:
        await provider.charge(ACCESS, charge_request("E001", "1"))
    assert API_KEY not in "".join(traceback.format_exception(caught.value))
    assert API_KEY not in caplog.text
    assert len(server.asked) == 1  # nothing is tried twice


async def test_nobody_listens() -> None:
    with pytest.raises(ProviderUnclearError):
        await QuickPay("http://127.0.0.1:1").charge(ACCESS, charge_request("E002", "1"))


async def test_a_company_without_a_key(server: QuickPayServer) -> None:
    with pytest.raises(ProviderRefusedError):
        await QuickPay(server.url).charge(Access({"apiKey": " "}), charge_request("E003", "1"))
    assert server.asked == []


async def test_a_key_that_is_wrong(server: QuickPayServer) -> None:
    with pytest.raises(ProviderRefusedError, match="doesn't accept the API key"):
        await QuickPay(server.url).find_charge(Access({"apiKey": "wrong"}), "E004", None, "1")


def test_nothing_is_loaded_before_it_is_needed() -> None:
    program = "import sys; import ledgerbee.payments.providers.quickpay; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# Callbacks

BODY = b"""{ "id" :1001,\r\n\t"order_id":"W\\u0030\\u0030\\u0031", "type":"Payment", "currency":"DKK",
 "operations":[{"id":2,"type":"capture","pending":false},{"id":1,"type":"recurring","pending":false}] }\n\n """


def signed(body: bytes, key: str = PRIVATE_KEY) -> dict[str, str]:
    """The headers of a callback as QuickPay sends it."""
    digest = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    return {"Quickpay-CHECKSUM-Sha256": digest, "QuickPay-Resource-Type": "Payment"}


def test_a_checksum_is_over_the_body_byte_for_byte() -> None:
    event = QuickPay().read_event(ACCESS, signed(BODY), BODY)
    assert (event.id, event.type, event.subject) == ("payment:1001:2:capture", "payment.capture", Subject.CHARGE)
    assert (event.provider_id, event.reference) == ("1001", "W001")
    with pytest.raises(SignatureError):
        QuickPay().read_event(ACCESS, signed(BODY), json.dumps(json.loads(BODY)).encode())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"quickpay-checksum-sha256": ""},
        {"quickpay-checksum-sha256": "\xe9"},
        {"quickpay-checksum-sha256": "\ud800"},
        signed(BODY, "other"),
        signed(BODY[:-1]),
    ],
)
def test_a_callback_that_isnt_signed_by_quickpay(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        QuickPay().read_event(ACCESS, headers, BODY)


@pytest.mark.parametrize("keys", [{}, {"privateKey": ""}])
def test_a_callback_of_a_company_without_a_key(keys: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        QuickPay().read_event(Access(keys), signed(BODY, ""), BODY)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"id":"1","operations":[]}',
        b'{"id":1,"operations":7}',
        b'{"id":1,"operations":[{"type":"capture"}]}',
        b"[" * 100_000,
    ],
)
def test_a_callback_that_is_none(body: bytes) -> None:
    with pytest.raises(ProviderRefusedError):
        QuickPay().read_event(ACCESS, signed(body), body)
