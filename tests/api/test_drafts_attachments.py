"""Files that are attached to drafts, and go over to the entry."""

import hashlib

import pytest
import pytest_asyncio
from tests.api.test_attachments import stored
from tests.attached import PDF, PNG, File
from tests.conftest import BLOBS, Api
from tests.drafting import DOORS, NOBODY, V2, drafted, plain, rows
from tests.ledger_books import Books, as_owner, books_of

from ledgerbee.ledger.uploads.actions import STALE_AFTER, release_stale


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


RECEIPT = File.of(PDF, "application/pdf", "kvittering.pdf")
PICTURE = File.of(PNG, "image/png", "billede.png")


def sent(*files: File) -> list[dict[str, str]]:
    return [{"fileName": file.file_name, "contentType": file.content_type, "content": file.content} for file in files]


async def files_of(books: Books, entry_id: str) -> list[str]:
    answer = await books.api.get(f"/v1/journal-entries/{entry_id}/attachments")
    return [file["fileName"] for file in answer.json()]


@DOORS
async def test_what_is_attached_goes_over_to_the_entry(books: Books, path: str) -> None:
    draft = await drafted(books, plain(books, attachments=sent(RECEIPT, PICTURE)), path)
    assert draft["attachmentCount"] == 2
    assert (await books.api.get(path)).json()["data"] == [draft]
    entry = (await books.api.post(f"{path}/{draft['id']}/book")).json()
    assert entry["attachmentCount"] == 2
    assert await files_of(books, entry["id"]) == ["kvittering.pdf", "billede.png"]
    assert (await books.api.get(f"{path}/{draft['id']}")).json()["attachmentCount"] == 2
    assert (await books.verify_all()).passed


async def test_the_books_notice_another_file(books: Books, database_url: str) -> None:
    draft = await drafted(books, plain(books, attachments=sent(RECEIPT)))
    await books.api.post(f"{V2}/{draft['id']}/book")
    owner = await as_owner(database_url)
    await owner.execute("SET session_replication_role = replica")
    await owner.execute(
        "UPDATE journal_attachments SET hash = sha256(hash) WHERE company_id = $1", books.api.company_id
    )
    await owner.close()
    result = await books.verify_all()
    assert result.fault is not None
    assert result.fault.what.startswith("its hash does not follow from its content")


async def test_attachments_are_replaced_as_a_whole(books: Books) -> None:
    draft = await drafted(books, plain(books, attachments=sent(RECEIPT)))
    path = f"{V2}/{draft['id']}"
    assert (await books.api.patch(path, {"reference": "x"})).json()["attachmentCount"] == 1
    changed = (await books.api.patch(path, {"attachments": sent(PICTURE, RECEIPT)})).json()
    assert changed["attachmentCount"] == 2
    assert (await books.api.get(path)).json() == changed
    assert (await books.api.patch(path, {"attachments": []})).json()["attachmentCount"] == 0
    assert (await books.api.patch(path, {"attachments": sent(PICTURE)})).json()["attachmentCount"] == 1
    entry = (await books.api.post(f"{path}/book")).json()
    assert await files_of(books, entry["id"]) == ["billede.png"]
    refused = await books.api.patch(path, {"attachments": sent(RECEIPT)})
    assert refused.json()["code"] == "DRAFT_JOURNAL_ENTRY_INVALID_STATE"
    await release_stale(books.api.database, BLOBS, books.api.clock() + 2 * STALE_AFTER)
    assert stored(books.api) == {hashlib.sha256(PNG).hexdigest()}


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([{**sent(RECEIPT)[0], "contentType": "image/png"}], "INVALID_ATTACHMENT_TYPE"),
        ([{**sent(RECEIPT)[0], "content": "%"}], "INVALID_ATTACHMENT_TYPE"),
        (sent(RECEIPT) * 11, "SHARED_VALIDATION_FAILED"),
    ],
)
async def test_bad_attachments_refuse_the_whole_batch(books: Books, files: list[dict[str, str]], code: str) -> None:
    draft = await drafted(books, plain(books))
    before = await rows(books)
    for answer in (
        await books.api.post("/v2/draft-journal-batches", {"entries": [plain(books), plain(books, attachments=files)]}),
        await books.api.patch(f"{V2}/{draft['id']}", {"attachments": files}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert await rows(books) == before


async def test_a_refused_batch_leaves_no_files(books: Books) -> None:
    crooked = plain(books, customerId=NOBODY, attachments=sent(PICTURE))
    batch = {"entries": [plain(books, attachments=sent(RECEIPT)), crooked]}
    answer = await books.api.post("/v2/draft-journal-batches", batch)
    assert answer.json()["details"]["property"] == "entries.1.customerId"
    assert stored(books.api) == set()
    draft = await drafted(books, plain(books, attachments=sent(RECEIPT)))
    await books.api.delete(f"{V2}/{draft['id']}")
    await release_stale(books.api.database, BLOBS, books.api.clock() + 2 * STALE_AFTER)
    assert stored(books.api) == set()
