"""Attached files: stored with their entry or not at all, whoever else is at work on the same content."""

import asyncio
import hashlib
import json
import os
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from tests.attached import PDF, PNG, File, attach, caller_of, post_with
from tests.conftest import BLOBS, Api
from tests.ledger_books import BANK, SALES, Books, as_owner, books_of, post

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.attachments import store
from ledgerbee.ledger.uploads import actions, rules
from ledgerbee.ledger.uploads import store as leases
from ledgerbee.ledger.uploads.actions import STALE_AFTER, release_stale, staged
from ledgerbee.ledger.uploads.model import DecodedFile
from ledgerbee.ledger.verify import Verification, verify
from ledgerbee.platform.blobs.store import Folder, name_of
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Database

PDF_HASH, PNG_HASH = hashlib.sha256(PDF).digest(), hashlib.sha256(PNG).digest()
RECEIPT, PICTURE = File.of(PDF, "application/pdf", "kvittering.pdf"), File.of(PNG, "image/png", "Æblekage ☕.png")


def decoded(*files: File) -> list[DecodedFile]:
    return rules.decode([files], ["attachments"])[0]


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


@pytest_asyncio.fixture
async def entry(books: Books) -> UUID:
    """A posted entry."""
    return (await books.post(books.sale("2026-01-15", "100.00")))[0].id


def stored(api: Api, blobs: Folder = BLOBS) -> set[str]:
    """What lies in the company's store, whole or not, by file name."""
    return {path.name for path in (blobs.path / str(api.company_id)).rglob("*") if path.is_file()}


async def leased(api: Api) -> int:
    async def work(context: Context) -> int:
        return int(
            await context.connection.fetchval("SELECT count(*) FROM blob_leases WHERE company_id = $1", api.company_id)
        )

    return cast("int", await api.run(work))


def with_files(books: Books, *files: File, **fields: Any) -> dict[str, Any]:
    """A request for an entry with files."""
    sides = ((BANK, "DEBIT"), (SALES, "CREDIT"))
    return {
        "entryType": "JOURNAL_ENTRY",
        "date": "2026-03-16",
        "originalAmount": "100.00",
        "lines": [{"accountId": str(books.accounts[n]), "side": side, "amount": "100.00"} for n, side in sides],
        "attachments": [
            {"fileName": file.file_name, "contentType": file.content_type, "content": file.content} for file in files
        ],
        **fields,
    }


class TestUploads:
    @pytest.mark.parametrize("path", ["/v1/journal-entries", "/v2/journal-entries"])
    async def test_files_come_with_their_entry_and_into_its_hash(self, api: Api, books: Books, path: str) -> None:
        entry = (await api.post(path, with_files(books, RECEIPT, PICTURE))).json()
        assert entry["attachmentCount"] == 2
        assert (await api.get(f"/v1/journal-entries/{entry['id']}")).json() == entry
        listed = (await api.get(f"/v1/journal-entries/{entry['id']}/attachments")).json()
        assert [(file["fileName"], file["sha256"]) for file in listed] == [
            ("kvittering.pdf", PDF_HASH.hex()), ("Æblekage ☕.png", PNG_HASH.hex()),
        ]  # fmt: skip
        assert (await api.get(listed[1]["url"].removeprefix("/api"))).content == PNG
        assert (await books.verify()).passed

    async def test_a_batch_that_fails_leaves_no_file(self, api: Api, books: Books) -> None:
        bodies = [with_files(books, RECEIPT), with_files(books, PICTURE, date="9999-12-31")]
        refused = await api.post("/v2/journal-entries/batch", {"entries": bodies})
        assert (refused.status_code, refused.json()["details"]["property"]) == (400, "entries.1.date")
        assert stored(api) == set()
        assert await leased(api) == 0
        assert (await books.verify()).entries == 0

    async def test_a_lying_type_in_a_batch_is_named(self, api: Api, books: Books) -> None:
        lying = File.of(PNG, "application/pdf", "a.pdf")
        refused = await api.post("/v2/journal-entries/batch", {"entries": [with_files(books, RECEIPT, lying)]})
        assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_ATTACHMENT_TYPE")
        assert refused.json()["details"]["property"].startswith("entries.0.attachments.1")
        assert stored(api) == set()

    async def test_many_at_once_keep_their_own_files(self, api: Api, books: Books) -> None:
        files = [File.of(f"bilag {n}".encode(), "text/plain", f"{n}.txt") for n in range(12)]
        bodies = [with_files(books, file) for file in files]
        bodies[5]["lines"][0]["accountId"] = str(new_id())
        answers = await asyncio.gather(*(api.post("/v2/journal-entries", body) for body in bodies))
        assert [answer.status_code for answer in answers] == [404 if n == 5 else 201 for n in range(12)]
        for n, answer in enumerate(answers):
            if n != 5:
                (listed,) = (await api.get(f"/v1/journal-entries/{answer.json()['id']}/attachments")).json()
                assert listed["fileName"] == f"{n}.txt"
        assert len(stored(api)) == 11
        assert (await books.verify()).passed

    async def test_eleven_files_are_too_many(self, api: Api, books: Books) -> None:
        refused = await api.post("/v2/journal-entries", with_files(books, *[RECEIPT] * 11))
        assert refused.json()["details"]["validationErrors"][0]["constraints"].keys() == {"arrayMaxSize"}

    async def test_a_replay_stores_nothing_more(self, api: Api, books: Books) -> None:
        headers = {"x-api-idempotency-key": "files"}
        first = await api.post("/v2/journal-entries", with_files(books, RECEIPT), headers=headers)
        again = await api.post("/v2/journal-entries", with_files(books, RECEIPT), headers=headers)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.json() == first.json()
        assert (len(stored(api)), await leased(api)) == (1, 0)


class PostingFailedError(Exception):
    pass


class TestOverHttp:
    async def test_the_list_and_the_files_are_what_was_attached(self, api: Api, books: Books) -> None:
        entry, _ = await attach(books, RECEIPT, PICTURE, replace(RECEIPT, file_name="igen.pdf"))
        answer = await api.get(f"/v1/journal-entries/{entry}/attachments")
        assert answer.status_code == 200
        listed = answer.json()
        assert [(file["fileName"], file["contentType"], file["size"]) for file in listed] == [
            ("kvittering.pdf", "application/pdf", len(PDF)),
            ("Æblekage ☕.png", "image/png", len(PNG)),
            ("igen.pdf", "application/pdf", len(PDF)),
        ]
        assert listed[0]["sha256"] == PDF_HASH.hex()
        assert listed[0]["createdAt"] == "2026-03-16T12:00:00.000Z"
        for file, content in zip(listed, (PDF, PNG, PDF), strict=True):
            got = await api.get(file["url"].removeprefix("/api"))
            assert (got.status_code, got.content) == (200, content)
            assert got.headers["content-type"] == file["contentType"]
            assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["content-disposition"] == 'attachment; filename="igen.pdf"'
        named = await api.get(listed[1]["url"].removeprefix("/api"))
        assert named.headers["content-disposition"] == (
            "attachment; filename=\"_blekage _.png\"; filename*=UTF-8''%C3%86blekage%20%E2%98%95.png"
        )

    async def test_text_goes_out_without_a_charset_that_nobody_knows(self, api: Api, books: Books) -> None:
        entry, (file,) = await attach(books, File.of("beløb;5".encode("latin-1"), "text/csv", "a.csv"))
        got = await api.get(f"/v1/journal-entries/{entry}/attachments/{file.id}")
        assert got.headers["content-type"] == "text/csv"
        assert got.content == "beløb;5".encode("latin-1")

    async def test_an_entry_without_any(self, api: Api, entry: UUID) -> None:
        assert (await api.get(f"/v1/journal-entries/{entry}/attachments")).json() == []

    async def test_an_attachment_of_another_entry_is_not_found(self, api: Api, books: Books) -> None:
        _, (file,) = await attach(books, RECEIPT)
        (other,) = await books.post(books.sale("2026-01-16", "5.00"))
        answer = await api.get(f"/v1/journal-entries/{other.id}/attachments/{file.id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "ATTACHMENT_NOT_FOUND")

    async def test_a_file_that_the_store_has_lost(self, api: Api, books: Books) -> None:
        entry, (file,) = await attach(books, RECEIPT)
        await BLOBS.delete(api.company_id, PDF_HASH)
        answer = await api.get(f"/v1/journal-entries/{entry}/attachments/{file.id}")
        assert (answer.status_code, answer.json()["code"]) == (503, "ATTACHMENT_STORE_UNAVAILABLE")

    async def test_no_transaction_is_held_while_a_file_is_read(self, api: Api, books: Books, database_url: str) -> None:
        """Not even by a store that takes its time: the folder's file is a pipe that nobody has written to yet."""
        entry, (file,) = await attach(books, RECEIPT)
        path = BLOBS.path / name_of(api.company_id, PDF_HASH)
        path.unlink()
        os.mkfifo(path)
        reading = asyncio.create_task(api.get(f"/v1/journal-entries/{entry}/attachments/{file.id}"))
        owner = await as_owner(database_url)
        try:
            await asyncio.sleep(0.2)
            held = await owner.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
                " AND datname = current_database()"
            )
            assert held == 0
        finally:
            await owner.close()
        await asyncio.to_thread(path.write_bytes, PDF)
        assert (await reading).content == PDF


class TestStaging:
    async def test_what_is_attached_stays(self, api: Api, books: Books) -> None:
        async with staged(await caller_of(api), [decoded(RECEIPT), [], decoded(PICTURE, RECEIPT)]) as files:
            assert [len(of_entry) for of_entry in files] == [1, 0, 2]
            assert stored(api) == {PDF_HASH.hex(), PNG_HASH.hex()}
            entry = await post_with(books, *files[0])
        assert stored(api) == {PDF_HASH.hex()}
        assert await leased(api) == 0
        found = await api.run(lambda context: store.list_for_entry(context, entry))
        assert [(file.id, file.hash, file.size) for file in found] == [(files[0][0].id, PDF_HASH, len(PDF))]
        assert await api.run(lambda context: store.list_for_entry(context, new_id())) == []

    @pytest.mark.parametrize("fault", [PostingFailedError, asyncio.CancelledError, KeyboardInterrupt])
    async def test_what_fails_leaves_nothing(self, api: Api, fault: type[BaseException]) -> None:
        with pytest.raises(fault):
            async with staged(await caller_of(api), [decoded(RECEIPT, PICTURE)]):
                raise fault
        assert stored(api) == set()
        assert await leased(api) == 0

    async def test_what_others_have_attached_outlives_a_failure(self, api: Api, books: Books, other_api: Api) -> None:
        await attach(books, RECEIPT)
        for caller in (await caller_of(api), await caller_of(other_api)):
            with pytest.raises(PostingFailedError):
                async with staged(caller, [decoded(RECEIPT)]):
                    raise PostingFailedError
        assert stored(api) == {PDF_HASH.hex()}
        assert stored(other_api) == set()

    async def test_a_task_that_is_cancelled_leaves_nothing(self, api: Api) -> None:
        """At any moment: while it takes the lease, writes, posts or clears away."""
        caller = await caller_of(api)

        async def work() -> None:
            async with staged(caller, [decoded(RECEIPT, PICTURE)]):
                await asyncio.sleep(0.005)

        for milliseconds in range(0, 40, 2):
            task = asyncio.create_task(work())
            await asyncio.sleep(milliseconds / 1000)
            task.cancel()
            await asyncio.wait([task])
        while actions._releasing:
            await asyncio.wait(actions._releasing)
        assert stored(api) == set()
        assert await leased(api) == 0

    async def test_no_files_cost_nothing(self, api: Api) -> None:
        caller = replace(await caller_of(api), database=cast("Database", None))
        async with staged(caller, [[], []]) as files:
            assert files == [(), ()]

    async def test_a_credential_that_is_revoked_meanwhile_leaves_it_to_the_timetable(self, api: Api) -> None:
        """Without it the API enters no company. Until then the lease stays, and the file under it."""
        caller = await caller_of(api)
        revoke = "DELETE FROM credentials WHERE company_id = $1"
        async with staged(caller, [decoded(RECEIPT)]):
            await api.run(lambda context: context.connection.execute(revoke, context.company_id))
        assert (stored(api), await leased(api)) == ({PDF_HASH.hex()}, 1)
        await release_stale(api.database, BLOBS, api.clock() + STALE_AFTER)
        assert (stored(api), await leased(api)) == ({PDF_HASH.hex()}, 1)
        await release_stale(api.database, BLOBS, api.clock() + STALE_AFTER + timedelta(seconds=1))
        assert (stored(api), await leased(api)) == (set(), 0)

    async def test_a_full_disk_changes_nothing(self, api: Api) -> None:
        """The kernel refuses to let a file grow; the second file is the one that is too large."""
        large = File.of(PDF + bytes(200_000), "application/pdf", "stor.pdf")
        with pytest.raises(LedgerBeeError) as caught, small_files():
            async with staged(await caller_of(api), [decoded(RECEIPT, large)]):
                pytest.fail("it was stored")
        assert (caught.value.code, caught.value.status) == ("ATTACHMENT_STORE_UNAVAILABLE", 503)
        assert (stored(api), await leased(api)) == (set(), 0)

    async def test_a_store_that_is_gone_when_clearing_away_is_come_back_to(
        self, api: Api, books: Books, tmp_path: Path
    ) -> None:
        """What was posted is posted: the answer is not spoilt by what comes after."""
        blobs = Folder(tmp_path / "blobs")
        async with staged(await caller_of(api, blobs), [decoded(RECEIPT, PICTURE)]) as ((first, _),):
            await post_with(books, first)
            blobs.path.rename(tmp_path / "away")
            blobs.path.write_text("no folder")
        assert await leased(api) == 2
        blobs.path.unlink()
        (tmp_path / "away").rename(blobs.path)
        await release_stale(api.database, blobs, api.clock() + STALE_AFTER + timedelta(seconds=1))
        assert (stored(api, blobs), await leased(api)) == ({PDF_HASH.hex()}, 0)

    async def test_hundreds_of_files_at_once(self, api: Api) -> None:
        many = [
            decoded(*(File.of(f"{number}".encode(), "text/plain") for number in range(n, n + 10)))
            for n in range(0, 250, 10)
        ]
        async with staged(await caller_of(api), many):
            assert (len(stored(api)), await leased(api)) == (250, 250)
        assert (stored(api), await leased(api)) == (set(), 0)


@contextmanager
def small_files() -> Iterator[None]:
    """Files of this process end at 64 KB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class SlowFolder(Folder):
    """A folder whose next removal waits to be let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.removing, self.go = asyncio.Event(), asyncio.Event()

    async def delete(self, company_id: UUID, content_hash: bytes) -> None:
        self.removing.set()
        await self.go.wait()
        await super().delete(company_id, content_hash)


class TestRaces:
    async def test_of_two_uploads_of_the_same_one_fails_and_one_commits(
        self, api: Api, books: Books, database_url: str
    ) -> None:
        """Both orders of every step, many times over."""
        caller = await caller_of(api)
        rounds = 30

        async def upload(pause: float, *, posts: bool) -> None:
            async with staged(caller, [decoded(RECEIPT)]) as (files,):
                await asyncio.sleep(pause)
                if not posts:
                    raise PostingFailedError
                await post_with(books, *files)

        for number in range(rounds):
            pauses = (0.001 * (number % 6), 0.001 * (5 - number % 6))
            outcomes = await asyncio.gather(
                upload(pauses[0], posts=True),
                upload(pauses[1], posts=False),
                upload(0, posts=False),
                return_exceptions=True,
            )
            assert [type(outcome) for outcome in outcomes] == [type(None), PostingFailedError, PostingFailedError]
            assert await BLOBS.get(api.company_id, PDF_HASH) == PDF
            if number < rounds // 2:  # half of the rounds begin with an empty store
                await as_if_never_attached(api, database_url)
        assert await leased(api) == 0

    async def test_an_upload_waits_for_a_removal_under_way_and_stores_anew(
        self, api: Api, books: Books, tmp_path: Path
    ) -> None:
        blobs = SlowFolder(tmp_path)
        caller = await caller_of(api, blobs)

        async def fail() -> None:
            async with staged(caller, [decoded(RECEIPT)]):
                raise PostingFailedError

        async def succeed() -> None:
            async with staged(caller, [decoded(RECEIPT)]) as (files,):
                await post_with(books, *files)

        failing = asyncio.create_task(fail())
        await blobs.removing.wait()
        succeeding = asyncio.create_task(succeed())
        await asyncio.sleep(0.1)
        assert not succeeding.done()
        blobs.go.set()
        with pytest.raises(PostingFailedError):
            await failing
        await succeeding
        assert await blobs.get(api.company_id, PDF_HASH) == PDF

    async def test_a_lease_that_is_used_is_not_released_before_the_commit(self, api: Api, books: Books) -> None:
        """However old it is: whoever releases it waits, and then finds the attachment."""
        inserted, commit = asyncio.Event(), asyncio.Event()

        async def slowly(context: Context) -> None:
            entry = books.sale("2026-01-15", "100.00", attachment_hashes=tuple(file.hash for file in files))
            await post(context, [entry])
            await store.insert_for_entries(context, [(entry.id, files)])
            inserted.set()
            await commit.wait()

        async with staged(await caller_of(api), [decoded(RECEIPT)]) as (files,):
            posting = asyncio.create_task(api.run(slowly))
            await inserted.wait()
            releasing = asyncio.create_task(
                release_stale(api.database, BLOBS, api.clock() + STALE_AFTER + timedelta(seconds=1))
            )
            await asyncio.sleep(0.2)
            assert not releasing.done()
            commit.set()
            await posting
            await releasing
        assert await BLOBS.get(api.company_id, PDF_HASH) == PDF

    async def test_without_its_lease_nothing_is_attached(self, api: Api, books: Books) -> None:
        async with staged(await caller_of(api), [decoded(RECEIPT)]) as (files,):
            await release_stale(api.database, BLOBS, api.clock() + STALE_AFTER + timedelta(seconds=1))
            with pytest.raises(LedgerBeeError) as caught:
                await post_with(books, *files)
        assert caught.value.code == "ATTACHMENT_STORE_UNAVAILABLE"
        assert (stored(api), await leased(api)) == (set(), 0)

    async def test_what_a_killed_process_left_is_cleared_away_after_an_hour(
        self, api: Api, books: Books, other_api: Api
    ) -> None:
        await attach(books, PICTURE)
        for company in (api, other_api):

            async def lease(context: Context) -> None:
                await leases.insert(context, new_id(), [PDF_HASH, PNG_HASH])

            await company.run(lease)
            await BLOBS.put(company.company_id, PDF_HASH, PDF)
            await BLOBS.put(company.company_id, PNG_HASH, PNG)
        await release_stale(api.database, BLOBS, api.clock() + STALE_AFTER)
        assert stored(api) == stored(other_api) == {PDF_HASH.hex(), PNG_HASH.hex()}
        await release_stale(api.database, BLOBS, api.clock() + STALE_AFTER + timedelta(seconds=1))
        assert (stored(api), stored(other_api)) == ({PNG_HASH.hex()}, set())
        assert await leased(api) == await leased(other_api) == 0


async def as_if_never_attached(api: Api, database_url: str) -> None:
    """Take the company's attachments away, as only the owner can with every trigger switched off."""
    owner = await as_owner(database_url)
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("DELETE FROM journal_attachments WHERE company_id = $1", api.company_id)
    await owner.close()
    await BLOBS.delete(api.company_id, PDF_HASH)


class TestDrafts:
    async def test_files_go_from_a_draft_to_its_entry(self, api: Api, books: Books) -> None:
        draft, entry = new_id(), books.sale("2026-01-15", "100.00", attachment_hashes=(PDF_HASH, PNG_HASH))
        async with staged(await caller_of(api), [decoded(RECEIPT, PICTURE)]) as (files,):
            await api.run(lambda context: store.insert_for_drafts(context, [(draft, files)]))
        before = await api.run(lambda context: store.list_for_draft(context, draft))
        assert [file.file_name for file in before] == [RECEIPT.file_name, PICTURE.file_name]
        assert len(before) == 2

        async def book(context: Context) -> None:
            await post(context, [entry])
            await store.move_to_entry(context, draft, entry.id)

        await api.run(book)
        await release_stale(api.database, BLOBS, api.clock() + 2 * STALE_AFTER)
        assert await api.run(lambda context: store.list_for_draft(context, draft)) == []
        assert await api.run(lambda context: store.list_for_entry(context, entry.id)) == before
        assert (stored(api), await leased(api)) == ({PDF_HASH.hex(), PNG_HASH.hex()}, 0)

    async def test_what_only_a_deleted_draft_had_goes_an_hour_later(self, api: Api, books: Books) -> None:
        await attach(books, PICTURE)
        drafts = [new_id(), new_id()]
        async with staged(await caller_of(api), [decoded(RECEIPT, PICTURE), decoded(RECEIPT)]) as files:
            await api.run(lambda context: store.insert_for_drafts(context, list(zip(drafts, files, strict=True))))
        await api.run(lambda context: store.delete_for_drafts(context, drafts))
        assert stored(api) == {PDF_HASH.hex(), PNG_HASH.hex()}
        await release_stale(api.database, BLOBS, api.clock() + 2 * STALE_AFTER)
        assert stored(api) == {PNG_HASH.hex()}


class TestTheDatabaseItself:
    @pytest_asyncio.fixture
    async def owner(self, database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        connection = await as_owner(database_url)
        yield connection
        await connection.close()

    @pytest.mark.parametrize(
        "statement",
        ["UPDATE journal_attachments SET file_name = 'x'", "DELETE FROM journal_attachments",
         "TRUNCATE journal_attachments", "UPDATE draft_attachments SET file_name = 'x'",
         "UPDATE blob_leases SET hash = hash"],
    )  # fmt: skip
    async def test_the_application_may_not_change_it(self, api: Api, books: Books, statement: str) -> None:
        await attach(books, RECEIPT)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await api.run(lambda context: context.connection.execute(statement))

    @pytest.mark.parametrize(
        "statement",
        ["UPDATE journal_attachments SET file_name = 'x'", "DELETE FROM journal_attachments",
         "TRUNCATE journal_attachments"],
    )  # fmt: skip
    async def test_not_even_the_owner_may(
        self, owner: "asyncpg.Connection[asyncpg.Record]", books: Books, statement: str
    ) -> None:
        await attach(books, RECEIPT)
        with pytest.raises(asyncpg.PostgresError) as caught:
            await owner.execute(statement)
        assert caught.value.sqlstate == "LB419"

    async def test_an_attachment_has_an_entry_of_its_company(self, other_api: Api, entry: UUID) -> None:
        assert await self._refused(other_api, entry, 1) == ("LB417", str(entry))

    async def test_nothing_is_attached_to_an_entry_later(self, api: Api, books: Books, entry: UUID) -> None:
        """Neither to one without files nor beside those that one was posted with."""
        assert await self._refused(api, entry, 1) == ("LB432", str(entry))
        other, _ = await attach(books, PICTURE)
        assert await self._refused(api, other, 2) == ("LB432", str(other))
        assert (stored(api), await leased(api)) == ({PNG_HASH.hex()}, 0)
        assert (await books.verify()).passed

    async def _refused(self, api: Api, entry: UUID, position: int) -> tuple[str | None, str]:
        """SQLSTATE and entry of the refusal to attach a file in this place."""
        async with staged(await caller_of(api), [decoded(RECEIPT)]) as ((file,),):
            with pytest.raises(asyncpg.PostgresError) as caught:
                await api.run(
                    lambda context: context.connection.execute(
                        "INSERT INTO journal_attachments (company_id, created_at, entry_id, position, id, file_name,"
                        " content_type, size, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                        context.company_id, context.now, entry, position, file.id, file.file_name, file.content_type,
                        file.size, file.hash,
                    )
                )  # fmt: skip
        return caught.value.sqlstate, json.loads(caught.value.detail or "")["entryId"]


class TestVerification:
    @pytest_asyncio.fixture(autouse=True)
    async def audited(self, api: Api, books: Books) -> UUID:
        """The second of three entries; all have the receipt, it has a picture as well."""
        ids = []
        for month, files in ((1, (RECEIPT,)), (2, (RECEIPT, PICTURE)), (3, (RECEIPT,))):
            answer = await api.post("/v2/journal-entries", with_files(books, *files, date=f"2026-0{month}-15"))
            assert answer.status_code == 201, answer.text
            ids.append(UUID(answer.json()["id"]))
        return ids[1]

    async def verify(self, api: Api) -> Verification:
        async def work(context: Context) -> Verification:
            return await verify(context, blobs=BLOBS)

        return cast("Verification", await api.run(work, one_snapshot=True))

    async def test_untouched_files_pass_and_are_counted(self, api: Api) -> None:
        result = await self.verify(api)
        assert (result.passed, result.attachments) == (True, 4)
        without: Any = await api.run(verify, one_snapshot=True)
        assert (without.passed, without.attachments) == (True, None)

    @pytest.mark.parametrize(
        ("content", "what"),
        [
            (None, "is missing in the store"),
            (PNG[:-1] + b"x", "is not what was attached: its content differs from its hash"),
        ],
    )
    async def test_the_first_that_is_wrong_is_named(
        self, api: Api, audited: UUID, content: bytes | None, what: str
    ) -> None:
        path = BLOBS.path / name_of(api.company_id, PNG_HASH)
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        result = await self.verify(api)
        assert result.fault is not None
        assert result.fault.what == f"its attachment 'Æblekage ☕.png' {what}"
        assert (result.fault.entry_id, result.fault.entry_number) == (audited, 2)
