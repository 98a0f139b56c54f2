"""Entries of many callers in one transaction, over HTTP: to each its own answer, whatever becomes of the others.

A session of the test's holds the company's ledger: the first request that comes waits for it in its transaction, and
those that come meanwhile share the next.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest_asyncio
from tests.attached import PDF, PNG, File
from tests.conftest import BLOBS, Api
from tests.journal_bodies import plain, state
from tests.ledger_books import Books, as_owner, books_of

from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import SCOPES
from ledgerbee.tenancy.api_keys import actions as api_keys
from ledgerbee.tenancy.grants import actions as grants
from ledgerbee.tenancy.grants.model import ApiKey

PATH = "/v2/journal-entries"
RECEIPT, PICTURE = File.of(PDF, "application/pdf"), File.of(PNG, "image/png")
PDF_HASH, PNG_HASH = hashlib.sha256(PDF).digest(), hashlib.sha256(PNG).digest()

Answer = asyncio.Task[httpx.Response]


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


class Holder:
    """A session that holds the ledger of a company."""

    def __init__(self, session: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.session = session

    async def waiting(self) -> int:
        """The process of the session that waits for this one, once there is one: within a minute."""
        async with asyncio.timeout(60):
            while True:
                # Within a transaction the first look at the sessions is kept: one that is opened later isn't in it.
                await self.session.execute("SELECT pg_stat_clear_snapshot()")
                pid = await self.session.fetchval(
                    "SELECT pid FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
                )
                if pid is not None:
                    return int(pid)
                await asyncio.sleep(0.01)

    async def release(self) -> None:
        await self.session.execute("ROLLBACK")


@asynccontextmanager
async def held(books: Books, database_url: str) -> AsyncIterator[Holder]:
    """Hold the company's ledger, until released or the end of the block."""
    session = await as_owner(database_url)
    try:
        await session.execute(f"BEGIN; SET LOCAL app.company_id = '{books.api.company_id}'")
        await session.execute("SELECT FROM ledgers WHERE company_id = $1 FOR UPDATE", books.api.company_id)
        yield Holder(session)
    finally:
        await session.close()


def send(books: Books, body: Mapping[str, Any], key: str | None = None, **headers: str) -> Answer:
    """Send an entry; the task of its answer."""
    if key is not None:
        headers["x-api-idempotency-key"] = key
    return asyncio.create_task(books.api.post(PATH, body, headers=headers))


async def arrived(tasks: Iterable[Answer]) -> None:
    """Let requests come as far as they can by themselves: into the queue."""
    await asyncio.sleep(0.3)
    assert not any(task.done() for task in tasks)


def with_file(books: Books, *files: File, **fields: Any) -> dict[str, Any]:
    sent = [{"fileName": file.file_name, "contentType": file.content_type, "content": file.content} for file in files]
    return plain(books, attachments=sent, **fields)


async def posted(books: Books) -> list[str]:
    """The references of what is posted, in the order of the chain, which is whole."""
    assert (await books.verify()).passed

    async def work(context: Context) -> list[str]:
        rows = await context.connection.fetch(
            "SELECT reference FROM journal_entries WHERE company_id = $1 ORDER BY chain_position", context.company_id
        )
        return [row["reference"] for row in rows]

    found: list[str] = await books.api.run(work)
    return found


async def transactions(books: Books) -> list[int]:
    """How many entries each transaction posted, in order."""

    async def work(context: Context) -> list[int]:
        rows = await context.connection.fetch(
            "SELECT count(*) FROM journal_entries WHERE company_id = $1 GROUP BY xmin ORDER BY min(chain_position)",
            context.company_id,
        )
        return [row["count"] for row in rows]

    found: list[int] = await books.api.run(work)
    return found


async def new_key(api: Api) -> tuple[UUID, str]:
    """Another API key of the company: its id and secret."""

    async def work(context: Context) -> tuple[UUID, str]:
        key, secret = await api_keys.create(context, name="another", scopes=SCOPES)
        return key.id, secret

    made: tuple[UUID, str] = await api.run(work)
    return made


def code(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("code")


async def test_of_a_hundred_each_has_its_own_answer_or_error(books: Books, database_url: str) -> None:
    await books.lock("2026-01-31")
    unknown = str(new_id())
    bodies = [plain(books, f"{n}.00", reference=str(n)) for n in range(1, 101)]
    bodies[3]["lines"][0]["accountId"] = unknown  # the database's to refuse
    bodies[40]["date"] = "2026-01-15"  # in the locked period
    bodies[41]["lines"][1]["amount"] = "1.00"  # the rules' to refuse
    bodies[70]["entryType"] = "CUSTOMER_INVOICE"
    bodies[70]["customerId"] = unknown
    bodies[98]["lines"][1]["vatCodeId"] = unknown
    bodies[99]["lines"][0]["accountId"] = unknown
    expected: dict[int, tuple[int, str | None]] = {
        3: (404, "ACCOUNT_NOT_FOUND"),
        40: (409, "PERIOD_LOCKED"),
        41: (400, "JOURNAL_ENTRY_UNBALANCED"),
        70: (404, "CUSTOMER_NOT_FOUND"),
        98: (404, "VAT_CODE_NOT_FOUND"),
        99: (404, "ACCOUNT_NOT_FOUND"),
    }
    async with held(books, database_url) as holder:
        first = send(books, plain(books, reference="first"))
        await holder.waiting()
        tasks = [send(books, body) for body in bodies]
        await asyncio.sleep(0.5)
        await holder.release()
        answers = await asyncio.gather(*tasks)
    assert (await first).status_code == 201
    assert {n: code(answer) for n, answer in enumerate(answers) if answer.status_code != 201} == expected
    good = [(str(n + 1), answer.json()) for n, answer in enumerate(answers) if n not in expected]
    assert [answer["reference"] for _, answer in good] == [reference for reference, _ in good]
    assert await posted(books) == ["first", *(reference for reference, _ in good)]
    for _, answer in good[::20]:
        assert (await books.api.get(f"/v1/journal-entries/{answer['id']}")).json() == answer
    assert len(await transactions(books)) < 20


async def test_a_revoked_credential_is_its_own_callers(books: Books, database_url: str) -> None:
    revoked_id, revoked = await new_key(books.api)
    _, other = await new_key(books.api)
    for secret in (revoked, other):  # remembered by the process
        assert (await books.api.get("/v1/accounts", headers={"x-api-key": secret})).status_code == 200
    async with held(books, database_url) as holder:
        first = send(books, plain(books, reference="first"))
        await holder.waiting()
        secrets = [books.api.key, revoked, other, revoked, books.api.key]
        tasks = [
            send(books, plain(books, reference=str(n)), f"k{n}", **{"x-api-key": secret})
            for n, secret in enumerate(secrets)
        ]
        await arrived(tasks)
        await books.api.run(lambda context: grants.revoke(context, ApiKey, revoked_id))
        await holder.release()
        answers = await asyncio.gather(*tasks)
    assert [code(answer) for answer in answers] == [
        (201, None), (401, "UNAUTHORIZED"), (201, None), (401, "UNAUTHORIZED"), (201, None),
    ]  # fmt: skip
    assert await posted(books) == ["first", "0", "2", "4"]
    assert (await first).status_code == 201
    again = await send(books, plain(books, reference="1"), "k1")  # the refused one left no trace of its key
    assert (again.status_code, "Idempotent-Replayed" in again.headers) == (201, False)


async def test_events_tell_who_it_was(books: Books, database_url: str) -> None:
    key_id, secret = await new_key(books.api)
    async with held(books, database_url) as holder:
        first = send(books, plain(books))
        await holder.waiting()
        tasks = [
            send(books, plain(books), **{"x-request-id": f"request-{n}"} | ({"x-api-key": secret} if n % 2 else {}))
            for n in range(6)
        ]
        await arrived(tasks)
        await holder.release()
        answers = await asyncio.gather(first, *tasks)

    async def work(context: Context) -> list[asyncpg.Record]:
        return await context.connection.fetch(
            "SELECT object_id, sequence, actor, request_id, data FROM events WHERE company_id = $1"
            " AND type = 'journal_entry.posted'",
            context.company_id,
        )

    told = {row["object_id"]: row for row in await books.api.run(work)}
    assert await transactions(books) == [1, 6]
    assert len(told) == 7
    for n, answer in enumerate(answers[1:]):
        event = told[UUID(answer.json()["id"])]
        assert (event["request_id"], event["sequence"], event["data"]) == (f"request-{n}", 1, answer.json())
        assert answer.headers["x-request-id"] == f"request-{n}"
        assert (event["actor"] == f"api_key:{key_id}") == bool(n % 2)


async def test_idempotency_keys_among_others(books: Books, database_url: str) -> None:
    """A replay, a key that is reused, one that is in use, one that comes twice: each told, the rest posted once."""
    replayed = await send(books, plain(books, reference="old"), "old")
    async with held(books, database_url) as holder:
        first = send(books, plain(books, reference="first"), "first")
        await holder.waiting()
        elsewhere = await as_owner(database_url)
        await elsewhere.execute("BEGIN")
        await elsewhere.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended($1 || '/busy', 1))", str(books.api.company_id)
        )
        tasks = {
            "a": send(books, plain(books, reference="a"), "a"),
            "replay": send(books, plain(books, reference="old"), "old"),
            "other body": send(books, plain(books, reference="not old"), "old2"),
            "reused": send(books, plain(books, reference="not old"), "first"),
            "in use": send(books, plain(books, reference="busy"), "busy"),
            "b": send(books, plain(books, reference="b"), "b"),
            "b again": send(books, plain(books, reference="b"), "b"),
            "none": send(books, plain(books, reference="none")),
            "of the one before": send(books, plain(books, reference="first"), "first2"),
        }
        await arrived(tasks.values())
        await holder.release()
        answers = dict(zip(tasks, await asyncio.gather(*tasks.values()), strict=True))
        await elsewhere.close()
    assert answers.pop("replay").content == replayed.content
    refused = {name: code(answer) for name, answer in answers.items() if answer.status_code != 201}
    assert refused == {
        "reused": (409, "IDEMPOTENCY_KEY_REUSED"),
        "in use": (409, "IDEMPOTENCY_KEY_IN_USE"),
        "b again": (409, "IDEMPOTENCY_KEY_IN_USE"),
    }
    assert await posted(books) == ["old", "first", "a", "not old", "b", "none", "first"]
    again = await send(books, plain(books, reference="b"), "b")
    assert (again.headers["Idempotent-Replayed"], again.content) == ("true", answers["b"].content)
    assert (await send(books, plain(books, reference="busy"), "busy")).status_code == 201
    assert (await send(books, plain(books, reference="first"), "first")).content == (await first).content


async def test_who_leaves_while_waiting_is_not_posted_and_keeps_nobody(books: Books, database_url: str) -> None:
    async with held(books, database_url) as holder:
        first = send(books, plain(books, reference="first"))
        await holder.waiting()
        tasks = [
            send(books, plain(books, reference="0"), "0"),
            send(books, plain(books, reference="1"), "1"),
            send(books, with_file(books, RECEIPT, reference="2"), "2"),
            send(books, with_file(books, RECEIPT, PICTURE, reference="3"), "3"),
            send(books, plain(books, reference="1"), "1"),  # its key is free once the other has gone
        ]
        await arrived(tasks)
        for n in (1, 3):
            tasks[n].cancel()
        await asyncio.wait([tasks[1], tasks[3]])
        await holder.release()
        answers = [await tasks[n] for n in (0, 2, 4)]
    assert [code(answer) for answer in answers] == [(201, None)] * 3
    assert (await first).status_code == 201
    assert sorted(await posted(books)) == ["0", "1", "2", "first"]
    assert await BLOBS.get(books.api.company_id, PDF_HASH) == PDF
    await settled(books, {PDF_HASH})


async def test_who_leaves_while_it_is_posted_keeps_nobody(books: Books, database_url: str) -> None:
    """What was attached to the entry of the one who left has gone, so that entry is none; the others' are posted."""
    async with held(books, database_url) as holder:
        first = send(books, plain(books, reference="first"))
        await holder.waiting()
        tasks = [
            send(books, plain(books, reference="0"), "0"),
            send(books, plain(books, reference="1"), "1"),
            send(books, with_file(books, RECEIPT, reference="2"), "2"),
            send(books, with_file(books, RECEIPT, PICTURE, reference="3"), "3"),
            send(books, plain(books, reference="4"), "4"),
        ]
        await arrived(tasks)
        # All of them are in the transaction that follows; it has to wait as well.
        second = await as_owner(database_url)
        await second.execute(f"BEGIN; SET LOCAL app.company_id = '{books.api.company_id}'")
        blocker = asyncio.create_task(
            second.execute("SELECT FROM ledgers WHERE company_id = $1 FOR UPDATE", books.api.company_id)
        )
        await asyncio.sleep(0.1)
        await holder.release()
        await blocker
        assert (await first).status_code == 201
        await Holder(second).waiting()
        for n in (1, 3):
            tasks[n].cancel()
        await asyncio.wait([tasks[1], tasks[3]])
        await second.close()
        answers = [await tasks[n] for n in (0, 2, 4)]
    assert [code(answer) for answer in answers] == [(201, None)] * 3
    assert sorted(set(await posted(books)) - {"1"}) == ["0", "2", "4", "first"]
    # Whoever left can find out: under its key it is done now, or was.
    for n in (1, 3):
        body = plain(books, reference=str(n)) if n == 1 else with_file(books, RECEIPT, PICTURE, reference="3")
        assert (await send(books, body, str(n))).status_code == 201
    assert sorted(await posted(books)) == ["0", "1", "2", "3", "4", "first"]
    await settled(books, {PDF_HASH, PNG_HASH})


async def settled(books: Books, hashes: set[bytes]) -> None:
    """No lease is left, and just these blobs are in the store."""

    async def work(context: Context) -> int:
        return int(
            await context.connection.fetchval(
                "SELECT count(*) FROM blob_leases WHERE company_id = $1", context.company_id
            )
        )

    assert await books.api.run(work) == 0
    folder = BLOBS.path / str(books.api.company_id)
    assert {path.name for path in folder.rglob("*") if path.is_file()} == {one.hex() for one in hashes}


async def test_a_lost_connection_is_everyones_and_leaves_nothing(books: Books, database_url: str) -> None:
    """All of them are told to try again; under their keys they do."""
    before = await state(books)
    async with held(books, database_url) as holder:
        first = send(books, plain(books, reference="first"), "first")
        await holder.waiting()
        tasks = [send(books, plain(books, reference=str(n)), str(n)) for n in range(10)]
        files = send(books, with_file(books, RECEIPT, reference="files"), "files")
        await arrived([*tasks, files])
        await holder.session.execute("SELECT pg_terminate_backend($1)", await holder.waiting())
        lost = await first
        assert code(lost) == (503, "DATABASE_UNAVAILABLE")
        assert lost.headers["Retry-After"] == "1"
        await holder.session.execute("SELECT pg_terminate_backend($1)", await holder.waiting())
        answers = await asyncio.gather(*tasks, files)
        assert [code(answer) for answer in answers] == [(503, "DATABASE_UNAVAILABLE")] * 11
    assert await state(books) == before
    await settled(books, set())
    again = [send(books, plain(books, reference=str(n)), str(n)) for n in range(10)]
    again += [send(books, with_file(books, RECEIPT, reference="files"), "files")]
    assert [answer.status_code for answer in await asyncio.gather(*again)] == [201] * 11
    assert sorted(await posted(books)) == sorted([*map(str, range(10)), "files"])


async def test_companies_have_nothing_to_do_with_each_other(books: Books, other_api: Api, database_url: str) -> None:
    """One company's ledger is held; another's callers, at the same time and under the same keys, are not."""
    other = await books_of(other_api)
    async with held(books, database_url) as holder:
        waiting = [send(books, plain(books, reference=f"{n}"), str(n)) for n in range(5)]
        await holder.waiting()
        theirs = [send(other, plain(other, reference=f"theirs {n}"), str(n)) for n in range(5)]
        assert [answer.status_code for answer in await asyncio.gather(*theirs)] == [201] * 5
        assert not any(task.done() for task in waiting)
        await holder.release()
        assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [201] * 5
    assert sorted(await posted(books)) == [f"{n}" for n in range(5)]
    assert sorted(await posted(other)) == [f"theirs {n}" for n in range(5)]
