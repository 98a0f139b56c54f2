"""Ways for e-invoices to leave: the folder, and an access point over HTTP."""

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import structlog
from tests.access_points import Answer, open_access_point

from ledgerbee.network.model import EInvoiceFormat, MessageType
from ledgerbee.network.transport.access_point import AccessPoint
from ledgerbee.network.transport.folder import FolderTransport, names_of
from ledgerbee.network.transport.model import (
    Message,
    NoTransport,
    TransportFailedError,
    TransportNotConfiguredError,
    TransportRefusedError,
)

MESSAGE = Message(
    id=UUID("0198f0a4-3d1c-7c5e-8a54-6d0f1f2b7c01"),
    document_type=MessageType.INVOICE,
    number="1042",
    form=EInvoiceFormat.PEPPOL,
    sender="0184:13585628",
    receiver="0088:5798009811578",
    sender_country="DK",
    content="<?xml version='1.0'?><Invoice>Blåbærgrød</Invoice>".encode(),
)
DIGEST = hashlib.sha256(MESSAGE.content).hexdigest()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


class TestFolder:
    async def test_a_file_says_whose_and_which_document_it_is(self, tmp_path: Path) -> None:
        receipt = await FolderTransport(tmp_path / "new" / "out").send(MESSAGE)
        name = "0184-13585628_invoice_1042.xml"
        assert files(tmp_path / "new" / "out") == {name: MESSAGE.content}
        assert receipt.provider_id == name

    async def test_the_same_again_is_one_file_and_another_of_that_name_has_its_own(self, tmp_path: Path) -> None:
        """Two companies may have the same CVR number: neither takes the other's place."""
        folder, other = FolderTransport(tmp_path), replace(MESSAGE, content=b"<Invoice/>")
        names = [(await folder.send(one)).provider_id for one in (MESSAGE, other, MESSAGE, other)]
        assert names == [*names_of(MESSAGE)[:1], names_of(other)[1]] * 2
        assert files(tmp_path) == {names[0]: MESSAGE.content, names[1]: other.content}

    @pytest.mark.parametrize("number", ["../../etc/passwd", "F/2026-1", "Ærø 1", "x" * 200, "a\0b", "..", ""])
    async def test_a_name_stays_in_the_folder_and_numbers_apart(self, tmp_path: Path, number: str) -> None:
        folder = tmp_path / "out"
        for one in (number, number + "'", number + "_"):
            await FolderTransport(folder).send(replace(MESSAGE, number=one, content=one.encode()))
        assert sorted(files(folder).values()) == sorted(one.encode() for one in (number, number + "'", number + "_"))
        assert names_in(tmp_path) == ["out"]

    async def test_a_credit_note_has_another_name(self) -> None:
        note = replace(MESSAGE, document_type=MessageType.CREDIT_NOTE)
        assert names_of(note)[0] == "0184-13585628_credit_note_1042.xml"

    async def test_many_at_once_are_one_file(self, tmp_path: Path) -> None:
        await asyncio.gather(*(FolderTransport(tmp_path).send(MESSAGE) for _ in range(8)))
        assert list(files(tmp_path).values()) == [MESSAGE.content]

    async def test_a_folder_that_cant_be_written_is_worth_another_try(self, tmp_path: Path) -> None:
        (tmp_path / "out").write_bytes(b"")
        with structlog.testing.capture_logs() as logged, pytest.raises(TransportFailedError) as failed:
            await FolderTransport(tmp_path / "out").send(MESSAGE)
        assert str(failed.value) == "The folder of e-invoices can't be written: File exists"
        assert failed.value.__cause__ is None
        assert [one["folder"] for one in logged] == [str(tmp_path / "out")], "the operator is told where"

    async def test_where_it_is_no_company_is_told(self, tmp_path: Path) -> None:
        """Both names of the document are taken."""
        for name in names_of(MESSAGE):
            (tmp_path / name).write_bytes(b"")
        with pytest.raises(TransportFailedError) as failed:
            await FolderTransport(tmp_path).send(MESSAGE)
        assert str(failed.value) == "The folder of e-invoices can't be written: another file has its name"


class TestAccessPoint:
    async def test_it_gets_the_bytes_and_is_told_what_they_are(self) -> None:
        async with open_access_point() as point:
            receipt = await AccessPoint(point.url, "s3cret").send(MESSAGE)
        (got,) = point.got
        assert got.content == MESSAGE.content
        assert receipt == ("202 Accepted", "AP-1")
        assert (
            got.fields
            | {
                "content-type": "application/xml; charset=utf-8",
                "authorization": "Bearer s3cret",
                "idempotency-key": str(MESSAGE.id),
                "e-invoice-message-id": str(MESSAGE.id),
                "e-invoice-sender": "0184:13585628",
                "e-invoice-receiver": "0088:5798009811578",
                "e-invoice-document-type": "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2::Invoice##urn:"
                "cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0::2.1",
                "e-invoice-process": "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0",
                "e-invoice-number": "1042",
                "e-invoice-sha256": DIGEST,
            }
            == got.fields
        )

    async def test_numbers_beyond_ascii_are_percent_encoded(self) -> None:
        async with open_access_point() as point:
            await AccessPoint(point.url).send(replace(MESSAGE, number="Ærø 1\r\nx: y"))
        assert point.got[0].fields["e-invoice-number"] == "%C3%86r%C3%B8%201%0D%0Ax%3A%20y"
        assert "authorization" not in point.got[0].fields

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            ((200, b'{"id": "7"}'), ("200 Accepted", "7")),
            ((204, b""), ("204 Accepted", None)),
            ((201, b"not json"), ("201 Accepted", None)),
            ((200, b'{"id": 7}'), ("200 Accepted", "7")),
            ((200, b'{"id": 12345678901234567890123.50}'), ("200 Accepted", "12345678901234567890123.50")),
            ((200, b'{"id": ' + b"9" * 5_000 + b"}"), ("200 Accepted", "9" * 200)),
            ((200, b'{"id": true}'), ("200 Accepted", None)),
            ((200, b'{"id": "a\\u0000b\\ud800\\u202e"}'), ("200 Accepted", "a b\ufffd")),
            ((200, b'{"id": "\\u0000\\r\\n"}'), ("200 Accepted", None)),
            ((200, b"[" * 100_000), ("200 Accepted", None)),
            ((409, b'{"id": "7"}'), ("409 It has the message already", "7")),
        ],
    )
    async def test_what_is_taken(self, answer: Answer, expected: tuple[str, str | None]) -> None:
        async with open_access_point() as point:
            point.answers = [answer]
            assert await AccessPoint(point.url).send(MESSAGE) == expected

    @pytest.mark.parametrize(
        ("answer", "kind", "text"),
        [
            ((422, b'{"message": "BR-CO-15"}'), TransportRefusedError, "422 BR-CO-15"),
            (
                (422, b'{"message": "a\\ud800b\\u0000\\u202ec\\ud83d\\ude00"}'),
                TransportRefusedError,
                "422 a\ufffdb c\U0001f600",
            ),
            ((400, b"\xff\x00bad\r\n"), TransportRefusedError, "400 \ufffd bad"),
            ((404, b"no such receiver"), TransportRefusedError, "404 no such receiver"),
            ((400, b""), TransportRefusedError, "400"),
            ((401, b""), TransportFailedError, "401"),
            ((403, b""), TransportFailedError, "403"),
            ((429, b"later"), TransportFailedError, "429 later"),
            ((503, b"x" * 10_000), TransportFailedError, "503 " + "x" * 500),
            ((302, b""), TransportFailedError, "302"),
            (None, TransportFailedError, "RemoteProtocolError"),
        ],
    )
    async def test_what_is_refused_for_good_and_what_is_worth_another_try(
        self, answer: Answer, kind: type[Exception], text: str
    ) -> None:
        async with open_access_point() as point:
            point.answers = [answer]
            with pytest.raises(kind) as refused:
                await AccessPoint(point.url, "t").send(MESSAGE)
        assert str(refused.value).partition(":")[0] == text
        assert len(point.got) == 1, "a redirect is not followed"

    async def test_who_says_nothing_is_not_waited_for(self) -> None:
        async with open_access_point() as point:
            point.go_on.clear()
            with pytest.raises(TransportFailedError, match=r"within 0\.2 seconds"):
                await AccessPoint(point.url, timeout_s=0.2).send(MESSAGE)

    async def test_who_is_away_is_tried_again(self) -> None:
        async with open_access_point() as point:
            url = point.url
        with pytest.raises(TransportFailedError, match="ConnectError"):
            await AccessPoint(url).send(MESSAGE)


async def test_without_a_way_nothing_leaves() -> None:
    with pytest.raises(TransportNotConfiguredError):
        await NoTransport().send(MESSAGE)
