"""Attached files are what they are said to be, or refused."""

import hashlib
import io
import zipfile
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attached import PDF, SAMPLES, File, archive, compound, open_xml

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.headers import content_disposition
from ledgerbee.ledger.uploads import rules

PLAIN, CSV, XML = "text/plain", "text/csv", "application/xml"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def refused(*files: File) -> LedgerBeeError:
    with pytest.raises(LedgerBeeError) as caught:
        rules.decode([files], ["attachments"])
    return caught.value


def test_every_type_that_is_taken_has_a_sample() -> None:
    assert set(SAMPLES) == rules.CONTENT_TYPES


@pytest.mark.parametrize("content_type", SAMPLES)
def test_a_file_of_its_type_is_taken_as_it_is(content_type: str) -> None:
    content = SAMPLES[content_type]
    file = File.of(content, content_type.upper() + "; charset=x", " bilag 1.pdf ")
    ((decoded,),) = rules.decode([[file]], ["attachments"])
    assert (decoded.file_name, decoded.content_type, decoded.content) == ("bilag 1.pdf", content_type, content)
    assert decoded.hash == hashlib.sha256(content).digest()


@pytest.mark.parametrize("told", SAMPLES)
@pytest.mark.parametrize("true", SAMPLES)
def test_a_type_that_lies_is_refused(told: str, true: str) -> None:
    found = rules.types_of(SAMPLES[true])
    if told in found:
        # XML has two names, is text, and a table without marks is text as well.
        assert told == true or {told, true} <= {"application/xml", "text/xml", PLAIN, CSV}
        return
    fault = refused(File.of(PDF, "application/pdf"), File.of(SAMPLES[true], told))
    assert (fault.code, fault.status) == ("INVALID_ATTACHMENT_TYPE", 400)
    assert fault.details == {
        "property": "attachments.1.content",
        "contentType": told,
        "detectedTypes": sorted(found),
    }


@pytest.mark.parametrize(
    "content_type",
    [
        "application/zip",
        "application/x-msdownload",
        "text/html",
        "image/svg+xml",
        "pdf",
        "",
        "*/*",
        "application/pdf x",
    ],
)
def test_other_types_are_refused(content_type: str) -> None:
    fault = refused(File.of(PDF, content_type))
    assert fault.code == "INVALID_ATTACHMENT_TYPE"
    assert fault.details["property"] == "attachments.0.contentType"
    assert "application/pdf" in fault.details["allowedTypes"]


@pytest.mark.parametrize(
    "content",
    ["", "====", "JVBERi0xLjcK!", "JVBERi0xLjcK\n", "JVBERi0xLjc", " JVBERi0xLjcK", "JVBERi0xLjæK", "data:;base64,JVBE",
     "JVBERi0x-_cK"],
)  # fmt: skip
def test_what_is_no_base64_is_refused(content: str) -> None:
    fault = refused(File("bilag.pdf", "application/pdf", content))
    assert fault.code == "INVALID_ATTACHMENT_TYPE"
    assert fault.details == {"property": "attachments.0.content"}


@pytest.mark.parametrize(
    "name",
    ["", "  ", ".", "..", "../etc/passwd", "a/b.pdf", "C:\\bilag.pdf", "a\0.pdf", "a\nb.pdf", "fdp\u202egpj.exe",
     "\u2028", "\x7f", "x" * 256],
)  # fmt: skip
def test_what_is_no_file_name_is_refused(name: str) -> None:
    fault = refused(File.of(PDF, "application/pdf", name))
    assert fault.code == "SHARED_VALIDATION_FAILED"
    assert [error["property"] for error in fault.details["validationErrors"]] == ["attachments.0.fileName"]


@pytest.mark.parametrize(
    "name", ["a", "Kvittering #7 (æøå).pdf", "请求.txt", "👩‍💻.png", "x" * 255, ".profile", "a..b"]
)
def test_other_file_names_are_taken(name: str) -> None:
    assert rules.decode([[File.of(PDF, "application/pdf", name)]], ["x"])[0][0].file_name == name


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"MZ\x90\0\x03", []),
        (b"\n" + PDF, ["application/pdf"]),  # as banks and tax offices send them
        (b"TEXTmdos\0\x015 " + PDF, ["application/pdf"]),
        (bytes(1019) + PDF, ["application/pdf"]),
        (bytes(1020) + PDF, []),
        (b"\x1f\x8b\x08\0\0\0\0\0", []),
        (b"\x7fELF", []),
        (b"just\0text", []),
        (b"BMW; 1", [CSV, PLAIN]),  # other formats begin with such letters
        (b"MZ;1", [CSV, PLAIN]),
        ("æ".encode("latin-1"), [CSV, PLAIN]),
        ("\ufeffbeløb".encode("utf-16"), [CSV, PLAIN]),
        (b"\xff\xfe\x00", []),
        ("\ufeff<a/>".encode(), [XML, PLAIN, "text/xml"]),
        (b"<!-- x --><a/>", [XML, PLAIN, "text/xml"]),
        (b"<5;10", [CSV, PLAIN]),
        (archive({"a.txt": b"x"}), []),
        (archive({"[Content_Types].xml": b"x", "wordy/a": b""}), []),
        (archive({"mimetype": b"application/vnd.oasis.opendocument.graphics"}), []),
        (archive({"mimetype": b"\xff" * 20}), []),
        (archive({"mimetype": b"a" * 200, "[Content_Types].xml": b"", "word/a": b""}), [WORD]),
        (open_xml("word")[:-30], []),
        (compound("EncryptedPackage"), []),
        (compound("Workbook")[:600], []),
        (compound("x") + b"\0" + "WordDocument\0".encode("utf-16-le"), []),
        (b"PK\x05\x06" + bytes(18), []),
    ],
)
def test_what_a_content_is(content: bytes, expected: list[str]) -> None:
    assert sorted(rules.types_of(content)) == sorted(expected)


def test_nothing_is_unpacked() -> None:
    """10 MB of nothing in a few kilobytes, told to be the part that is read."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", b"\0" * 10_000_000)
    assert rules.types_of(packed.getvalue()) == frozenset()


def test_a_directory_without_end_is_not_read() -> None:
    assert rules.types_of(b"PK\x03\x04" + b"PK\x01\x02" * 3_000_000) == frozenset()


@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_damaged_files_are_judged_without_fault(content_type: str, data: st.DataObject) -> None:
    content = bytearray(SAMPLES[content_type])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert rules.types_of(bytes(content[: data.draw(st.integers(1, len(content)))])) <= rules.CONTENT_TYPES


@given(st.binary(max_size=300))
def test_any_content_is_judged_without_fault(content: bytes) -> None:
    assert rules.types_of(content) <= rules.CONTENT_TYPES


@given(st.text(max_size=260))
def test_a_name_is_refused_or_sent_back_whole(name: str) -> None:
    if not rules.is_file_name(name):
        return
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    plain, _, encoded = header.partition("; filename*=UTF-8''")
    plain = plain.removeprefix('attachment; filename="').removesuffix('"')
    assert '"' not in plain
    assert (unquote(encoded, errors="strict") if encoded else plain) == name
