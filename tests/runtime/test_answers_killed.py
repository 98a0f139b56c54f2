"""The worker is killed between any two steps of sending answers to documents that came in, again and again."""

import asyncio
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
from tests.api.test_incoming_answers import answer, answers_of, xml_of
from tests.api.test_incoming_documents import received
from tests.conftest import Api
from tests.runtime.processes import PATIENCE, Program
from tests.selling import Shop
from tests.ubl_files import peppol

from ledgerbee.core.dates import system_clock
from ledgerbee.purchases.incoming_documents.answers.actions import SEND_ANSWER_JOB

#: Documents, each answered by all of these one after the other.
DOCUMENTS = 3
CODES = ("received", "inProcess", "accepted", "paid")
#: Where the workers die, by the steps of all that they have in hand: around the claim, the file and the record.
LAST_STEPS = (2, 3, 9, 14, 25)


async def test_answers_are_sent_in_turn_and_told_truthfully_at_once_after_each_death(
    api: Api, database_url: str, tmp_path: Path
) -> None:
    """Nobody waits for the claim of a worker that is dead (`CLAIM_LASTS`: eight minutes)."""
    owner = await asyncpg.connect(database_url)
    await owner.execute("DELETE FROM pgqueuer WHERE entrypoint = $1", SEND_ANSWER_JOB)  # of other tests
    await owner.close()
    shop, network = Shop(api), tmp_path / "network"
    await shop.ok("PATCH", "/v1/company", {"vatNumber": "13585628"})
    documents = [await received(api, peppol(number=f"F-{number}")) for number in range(DOCUMENTS)]
    for document in documents:
        for code in CODES:
            await answer(shop, document, code)
    workers: list[Program] = []

    def worker(last_step: int) -> Program:
        folder = tmp_path / str(len(workers))
        folder.mkdir()
        command: list[str | Path] = [sys.executable, "-m", "tests.runtime.mail_worker", str(last_step), SEND_ANSWER_JOB]
        workers.append(Program.start(command, folder, DATABASE_URL=database_url, LEDGERBEE_EINVOICE_DIR=str(network)))
        return workers[-1]

    for last_step in LAST_STEPS:
        assert await asyncio.to_thread(worker(last_step).end) == -signal.SIGKILL
    last = worker(0)
    async with asyncio.timeout(PATIENCE):
        while await open_answers(shop):  # noqa: ASYNC110  another process is at it
            await asyncio.sleep(0.05)
    assert last.stop() == 0
    assert not [line for one in workers for line in one.log if "Another worker" in str(line.get("error"))]
    api.clock.now = system_clock()  # the workers' events are of now
    lying = {path.read_bytes() for path in network.iterdir() if not path.name.startswith(".")}
    assert len(lying) == DOCUMENTS * len(CODES)
    broken_off = 0
    for document in documents:
        shown = await answers_of(shop, document)
        assert {await xml_of(shop, document, one) for one in shown} <= lying
        for one in shown:
            *before, sent = one["attempts"]
            assert (one["status"], sent["outcome"]) == ("sent", "sent")
            assert all("may have arrived" in attempt["message"] for attempt in before)
            broken_off += len(before)
        ends = [moment(one["attempts"][-1]) for one in shown]
        assert ends == sorted(ends)
        tried = [moment(one["attempts"][0]) for one in shown]
        assert all(end <= first for end, first in zip(ends, tried[1:], strict=False)), "each began after the one before"
    assert broken_off
    assert len(await shop.events("incoming_document.answer_sent")) == len(lying)
    assert await shop.events("incoming_document.answer_failed") == []


def moment(attempt: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(attempt["at"])


async def open_answers(shop: Shop) -> int:
    found: int = await shop.value(
        "SELECT count(*) FROM incoming_answers WHERE company_id = $1 AND status IN ('pending', 'sending')",
        shop.api.company_id,
    )
    return found
