"""Liveness, readiness and metrics, for whoever hosts it. No credential; no business data."""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ledgerbee import __version__
from ledgerbee.ledger.imports import store as imports
from ledgerbee.platform.db import UNREACHABLE, Database
from ledgerbee.platform.job_report import JobCount, count_jobs
from ledgerbee.tenancy.rates import store as rates
from ledgerbee.tenancy.rates.rules import age as rate_age

router = APIRouter(include_in_schema=False)

#: Seconds the database may take to answer a probe: shorter than the prober's own patience.
_PATIENCE_S: Final = 3.0


@router.api_route("/healthz", methods=["GET", "HEAD"])
async def healthz() -> Response:
    """The process answers."""
    return PlainTextResponse("ok")


@router.api_route("/readyz", methods=["GET", "HEAD"])
async def readyz(request: Request) -> Response:
    """The process can do its work: the database answers, and has been migrated."""
    database: Database = request.app.state.edge.cells.own.database
    try:
        async with asyncio.timeout(_PATIENCE_S), database.connection() as connection:
            await rates.newest_day(connection)
    except UNREACHABLE:
        return JSONResponse({"status": "unavailable", "database": "unreachable"}, 503)
    return JSONResponse({"status": "ready"})


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Prometheus metrics: of all processes under `serve`, else of this one; and the job queue as it is now."""
    counted = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    database: Database = request.app.state.edge.cells.own.database
    jobs: list[JobCount] | None = None
    newest: date | None = None
    waiting_bytes: int | None = None
    try:
        async with asyncio.timeout(_PATIENCE_S), database.connection() as connection:
            newest = await rates.newest_day(connection)
            jobs = await count_jobs(connection)
            waiting_bytes = await imports.waiting_bytes(connection)
    except UNREACHABLE:
        pass
    others = request.app.state.edge.cells.others()
    up = await asyncio.gather(*(_answers(cell.database) for cell in others))
    seen = CollectorRegistry()
    age = rate_age(newest, request.app.state.edge.clock()) if newest else None
    seen.register(
        Snapshot(jobs, age, waiting_bytes, {cell.mark: is_up for cell, is_up in zip(others, up, strict=True)})
    )
    return Response(generate_latest(counted) + generate_latest(seen), media_type=CONTENT_TYPE_LATEST)


async def _answers(database: Database) -> bool:
    """Whether a further cell could be worked with right now."""
    try:
        async with asyncio.timeout(_PATIENCE_S), database.connection() as connection:
            await rates.newest_day(connection)
    except UNREACHABLE:
        return False
    return True


class Snapshot(Collector):
    """What is looked up at the moment of asking. `jobs` is None when the database can't be reached.

    `rates_age` are the days since the newest published exchange rate, None where there is none to be seen;
    `waiting_bytes` is what files to import take up in the database, None when it can't be reached. `others` are the
    further cells by their marks, with whether each answers.
    """

    def __init__(
        self,
        jobs: Sequence[JobCount] | None,
        rates_age: int | None,
        waiting_bytes: int | None = None,
        others: Mapping[str, bool] = MappingProxyType({}),
    ) -> None:
        self.others = others
        self.jobs = jobs
        self.waiting_bytes = waiting_bytes
        self.rates_age = rates_age

    def collect(self) -> Iterator[Metric]:
        """The metrics."""
        yield InfoMetricFamily("ledgerbee", "The release that runs", {"version": __version__})
        up = 0 if self.jobs is None else 1
        databases = GaugeMetricFamily(
            "ledgerbee_database_up", "Whether the database answers: 1 or 0; with `cell`, that of a further cell"
        )
        databases.add_metric([], up)
        for mark, is_up in self.others.items():
            databases.add_sample("ledgerbee_database_up", {"cell": mark}, float(is_up))
        yield databases
        jobs = GaugeMetricFamily("ledgerbee_jobs", "Jobs in the queue: waiting, running, held", labels=["job", "state"])
        overdue = GaugeMetricFamily(
            "ledgerbee_job_overdue_seconds", "For how long the most overdue waiting job has been due", labels=["job"]
        )
        for found in self.jobs or ():
            jobs.add_metric([found.job, found.state], found.count)
            if found.state == "waiting":
                overdue.add_metric([found.job], found.overdue.total_seconds())
        yield jobs
        yield overdue
        waiting = GaugeMetricFamily(
            "ledgerbee_import_waiting_bytes", "What files that wait to be imported take up in the database"
        )
        if self.waiting_bytes is not None:
            waiting.add_metric([], self.waiting_bytes)
        yield waiting
        age = GaugeMetricFamily("ledgerbee_exchange_rates_age_days", "Days since the newest published exchange rate")
        if self.rates_age is not None:
            age.add_metric([], self.rates_age)
        yield age
