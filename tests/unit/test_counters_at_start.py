"""Counters whose labels are known are there with 0 before anything happens: `rate()` sees the first event."""

import json
import subprocess
import sys

import pytest

PRINT_SAMPLES = """
import json
from prometheus_client import REGISTRY
print(json.dumps([
    [metric.name, [[sample.labels, sample.value] for sample in metric.samples if not sample.name.endswith("_created")]]
    for metric in REGISTRY.collect() if metric.name.startswith("ledgerbee_") and metric.type == "counter"
]))
"""
#: Their labels are those of what comes in: a route that nobody asked for has none.
BY_REQUEST = {"ledgerbee_http_requests"}


@pytest.mark.parametrize("module", ["ledgerbee.app.main", "ledgerbee.app.worker_process"])
def test_counters_begin_with_zero(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}\n{PRINT_SAMPLES}"], capture_output=True, text=True, check=True
    )
    counters = {name: samples for name, samples in json.loads(done.stdout) if name not in BY_REQUEST}
    assert counters
    assert all(samples and all(value == 0 for _, value in samples) for samples in counters.values()), counters
    if module.endswith("worker_process"):
        assert [{"outcome": "delivered"}, 0.0] in counters["ledgerbee_deliveries"]
        assert [{"outcome": "failed"}, 0.0] in counters["ledgerbee_deliveries"]
        runs = counters["ledgerbee_job_runs"]
        assert {labels["outcome"] for labels, _ in runs} == {"done", "failed", "held"}
        assert "deliver_document" in {labels["job"] for labels, _ in runs}
