"""Four short rounds of the simulation, one for each victim; `make chaos` runs a hundred."""

import asyncio

from tests.sim.simulation import check_with_the_command, run_round
from tests.sim.system import VICTIMS, running_system


def test_whatever_is_killed_the_books_are_as_predicted() -> None:
    with running_system() as system:
        for seed, victim in enumerate(("api-1", "postgres", "worker", "api-2"), 1):
            assert victim in VICTIMS
            said = asyncio.run(run_round(system, seed, operations=25, kills=1, victims=[victim]))
            assert f"killed {victim}" in said
        check_with_the_command(system)
