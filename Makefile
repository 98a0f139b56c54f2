# Every verb makes the virtual environment first: git, make and Python >= 3.11 are all it takes.
PYTHON ?= python3
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE ?=

.PHONY: setup demo serve test chaos check types branches style conformance browser pictures webhooks-node mcp-node mcp-story-node format bench openapi docs fuzz lock clean

setup: .venv/.complete

# uv installs the lock in seconds; where its index is out of reach, pip takes the same file. Bytecode is written now: a
# start takes a second with it and three without, every time where PYTHONDONTWRITEBYTECODE is set.
.venv/.complete: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock \
		|| $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline --editable .
	$(BIN)/python -m compileall -q -j 0 .venv/lib src
	touch $@

# The main job on real input: sells the published documents of examples/, sends, books, receives and verifies them, and
# meters and bills its month of flights, which a test card pays.
demo: setup
	$(BIN)/ledgerbee demo

# The API, the worker and the reference page; prints the address, the company and an API key.
serve: setup
	$(BIN)/ledgerbee serve

test: setup
	$(BIN)/pytest -n 4 --dist worksteal

# A hundred rounds of the simulation, each with a new seed: clients at work while API, worker and PostgreSQL are killed.
# One round again: .venv/bin/python -m tests.sim.simulation --rounds 1 --seed N
# Then the worker is killed fifty times while it delivers two hundred documents of all kinds, another fifty times while it
# sends ten thousand events to webhooks, and it and its database a hundred times while a year of subscriptions is billed,
# and a hundred times while it charges cards.
chaos: setup
	$(BIN)/python -m tests.sim.simulation
	MAIL_DOCUMENTS=200 MAIL_DEATHS=50 $(BIN)/pytest -q -n 0 tests/runtime/test_mail_killed.py
	WEBHOOK_EVENTS=10000 WEBHOOK_OBJECTS=1000 WEBHOOK_DEATHS=50 $(BIN)/pytest -q -n 0 tests/runtime/test_webhooks_killed.py
	BILLING_MONTHS=12 BILLING_DEATHS=100 $(BIN)/pytest -q -n 0 tests/runtime/test_billing_killed.py
	$(BIN)/python -m tests.runtime.test_charges_killed --kills 100

# Two at a time: the types take about as long as the rest.
check: setup
	$(MAKE) --no-print-directory -j 2 types branches style

types: setup
	$(BIN)/mypy

branches: setup
	$(BIN)/python -m tests.branches

style: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/python -m tests.unused

# Every kind of e-invoice that can be issued, by the published rules: half a minute. Says which rules judged.
conformance: setup
	$(BIN)/python -m tests.conformance.run

# The pages on which buyers answer quotes, save cards and confirm payments, in a real browser: a minute. Needs Chromium.
browser: setup
	$(BIN)/python -m tests.browser.run

# The same, and what the guides show of the pages.
pictures: browser
	mkdir -p docs/images
	for name in save confirm; do cp out/browser/guide-$$name.png docs/images/sandbox-$$name.png; done

# The guide's receivers of webhooks under Node, the one with the npm package `standardwebhooks` too. Needs node and npm.
webhooks-node: setup
	$(BIN)/python -m tests.conformance.webhooks_node

# The conformance suite of MCP in both revisions, against the real server. Needs node, 22 or newer, and npm.
mcp-node: setup
	$(BIN)/python -m tests.conformance.mcp_node

# An application with the TypeScript client of MCP is let in by a member and goes from a quote to money. Needs node and npm.
mcp-story-node: setup
	$(BIN)/python -m tests.conformance.mcp_story_node

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Each script prints its figure beside its limit or peer. All of them run; what fell short is said at the end.
bench: setup
	PYTHONPATH=. $(BIN)/python bench/run_all.py

# The committed document; a test compares it with the application's.
openapi: setup
	$(BIN)/ledgerbee openapi --output docs/openapi.json

# What the documents repeat from the code: errors, events, settings, commands, metrics. A test compares them.
docs: setup
	$(BIN)/python -m docs.reference.generate

# Schemathesis over every operation for ten minutes; `make test` runs a short form.
fuzz: setup
	$(BIN)/python -m tests.fuzz.run --max-time 600

# New versions within pyproject's ranges: versions and hashes only, no addresses.
lock: setup
	$(BIN)/uv lock --upgrade
	$(BIN)/uv export --quiet --format requirements-txt --no-emit-project --no-annotate --no-header \
		--all-groups --all-extras --output-file requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--override bench/peers/overrides.txt bench/peers/requirements.in --output-file bench/peers/requirements.lock

clean:
	rm -rf .venv .cache out .mypy_cache .ruff_cache .pytest_cache .hypothesis
