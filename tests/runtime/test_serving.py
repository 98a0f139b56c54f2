"""`ledgerbee serve` as whoever starts it finds it."""

import json
import re
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import stdnum.dk.cvr
import stdnum.iban
import structlog
from tests import patient
from tests.runtime.conftest import SMTP_PASSWORD, Made
from tests.runtime.processes import Served, cli, cli_json, refusal, wait_for

from ledgerbee.app.cli.serving import warn_of_open_address


def test_it_prints_an_address_a_company_and_a_key_that_works(served: Served) -> None:
    answer = served.http.get("/api/v1/accounts")
    assert answer.status_code == 200
    assert len(answer.json()) > 50
    assert patient.get(f"{served.url}/api/v1/accounts").status_code == 401


def test_it_says_where_people_and_applications_come_in_and_how_to_make_the_first_person(served: Served) -> None:
    assert f"Sign in    {served.url}/sign-in\nMCP        {served.url}/api/v1/mcp\n" in served.program.out
    assert patient.get(f"{served.url}/sign-in").status_code == 200
    assert patient.post(f"{served.url}/api/v1/mcp", json={}).status_code == 401
    (how,) = [note for note in served.program.notes if "ledgerbee user create" in note]
    assert f"--company {served.company}" in how


def test_the_first_company_can_send_invoices(served: Served) -> None:
    """Everything that they state of their seller is there, made up, and passes its check."""
    company = served.http.get("/api/v1/company").json()
    assert [name for name in ("address", "postalCode", "city", "email", "bankName") if not company[name]] == []
    assert stdnum.dk.cvr.is_valid(company["vatNumber"])
    assert stdnum.iban.is_valid(company["iban"])
    bank_account = company["bankRegistrationNumber"] + company["bankAccountNumber"].zfill(10)
    assert company["iban"][4:] == bank_account


def test_a_second_start_prints_the_same_company_and_key(served: Served, made: Made) -> None:
    assert (served.company, served.key) == (made.company, made.key)
    key_file = made.data_dir / "first-api-key"
    assert key_file.read_text().strip() == made.key
    assert key_file.stat().st_mode & 0o077 == 0


def test_probes(served: Served) -> None:
    assert patient.get(f"{served.url}/healthz").text == "ok"
    assert patient.get(f"{served.url}/readyz").json() == {"status": "ready"}
    assert {patient.head(f"{served.url}/{probe}").status_code for probe in ("healthz", "readyz")} == {200}


def test_probes_that_succeed_are_not_logged(served: Served) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert served.http.get(path).status_code == 200
        assert served.http.post(path).status_code == 405
    served.http.get("/api/v1/nowhere?last=1")
    wait_for(lambda: [line for line in served.program.log if line.get("path") == "/api/v1/nowhere"])
    probes = [line for line in served.program.log if line.get("path") in {"/healthz", "/readyz", "/metrics"}]
    assert {line["status"] for line in probes} == {405}


@pytest.mark.parametrize(
    ("host", "proxies", "warned"),
    [
        ("127.0.0.1", "127.0.0.1", False),
        ("::1", "127.0.0.1", False),
        ("192.0.2.7", "127.0.0.1", True),
        ("2001:db8::7", "127.0.0.1,::1", True),
        ("192.0.2.7", "", True),
        ("192.0.2.7", "127.0.0.1, 192.0.2.1", False),
        ("192.0.2.7", "10.0.0.0/8", False),
        ("192.0.2.7", "*", False),
    ],
)
def test_an_open_address_without_a_proxy_is_warned_of(host: str, proxies: str, warned: bool) -> None:
    with structlog.testing.capture_logs() as lines:
        warn_of_open_address(host, proxies)
    assert [line["event"] for line in lines] == ["serve.open_address"] * warned


def test_metrics_cover_all_processes_and_the_job_queue(served: Served) -> None:
    served.http.get("/api/v1/accounts")
    text = patient.get(f"{served.url}/metrics").text
    assert re.search(r'ledgerbee_http_requests_total\{method="GET",route="/api/v1/accounts",status="200"\} \d', text)
    assert "ledgerbee_database_up 1.0" in text
    assert "# TYPE ledgerbee_jobs gauge" in text


def test_the_reference_page_needs_nothing_from_elsewhere(served: Served) -> None:
    page = patient.get(f"{served.url}/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "//" not in page.text.replace("<!--", "")
    wanted = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len([address for address in wanted if address.endswith(".js")]) == 2
    for address in wanted:
        asset = patient.get(f"{served.url}{address}")
        assert (asset.status_code, len(asset.content) > 100) == (200, True), address
        kind = {"js": "text/javascript", "css": "text/css", "png": "image/png"}[address.rpartition(".")[2]]
        assert asset.headers["content-type"].startswith(kind)
        if kind == "text/css":
            assert not re.search(r"@import|url\(\s*['\"]?(https?:)?//", asset.text)
    start = patient.get(f"{served.url}/docs/assets/start.js").text
    assert 'url: "/api/openapi.json"' in start
    assert "persist" not in start  # a key that is tried out is gone with the page
    assert "//" not in start
    assert patient.get(f"{served.url}/docs/assets/../../etc/passwd").status_code == 404
    assert patient.get(f"{served.url}/docs/assets/missing.js").status_code == 404


def test_it_serves_the_document_that_the_command_line_prints(served: Served, own_folder: Path) -> None:
    assert cli("openapi", "--output", own_folder / "openapi.json").stdout == ""
    printed = (own_folder / "openapi.json").read_text()
    answer = patient.get(f"{served.url}/api/openapi.json")
    assert answer.text == json.dumps(json.loads(printed), ensure_ascii=False, separators=(",", ":"))
    assert answer.headers["content-type"] == "application/json"
    again = patient.get(f"{served.url}/api/openapi.json", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])


def test_a_second_serve_on_the_folder_is_refused_and_harms_nothing(served: Served, made: Made) -> None:
    said = refusal("serve", "--port", "0", "--data-dir", made.data_dir)
    assert said == (
        f"ledgerbee already serves {made.data_dir} (process {served.program.process.pid}). "
        "Stop that one first, or give this one its own --data-dir."
    )
    assert served.http.get("/api/v1/accounts").status_code == 200


def test_a_port_that_is_taken_is_told(own_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refusal("serve", "--port", port, "--data-dir", own_folder / "data")
    assert said == f"Can't listen on 127.0.0.1 port {port}: Address already in use"
    assert not (own_folder / "data" / "postgres").exists()


def test_the_port_of_another_serve_is_taken(served: Served, own_folder: Path) -> None:
    """Its processes share the port with each other, and with nobody else."""
    said = refusal("serve", "--port", str(served.address[1]), "--processes", "2", "--data-dir", own_folder / "data")
    assert said == f"Can't listen on 127.0.0.1 port {served.address[1]}: Address already in use"


def test_connections_are_dealt_out_among_the_processes(served: Served) -> None:
    names = {line["process"] for line in served.program.log if line["event"] == "process.started"} - {"worker"}
    pids = [served.program.pid_of(name) for name in names]
    before = [_sockets(pid) for pid in pids]
    with ExitStack() as stack:
        for _ in range(32):
            stack.enter_context(socket.create_connection(served.address))

        def taken() -> list[int] | None:
            more = [_sockets(pid) - count for pid, count in zip(pids, before, strict=True)]
            return more if sum(more) >= 32 else None

        assert min(wait_for(taken)) > 0


def _sockets(pid: int) -> int:
    """Sockets that a process has open."""
    opened = Path(f"/proc/{pid}/fd").iterdir()
    return sum(str(descriptor.readlink()).startswith("socket:") for descriptor in opened)


def test_no_secret_is_logged_wherever_it_was_sent(served: Served, made: Made) -> None:
    wrong = "lb_" + "x" * 43
    bearer, client_secret, cookie = "lbt_" + "b" * 43, "lbs_" + "c" * 43, "session-cookie-value"
    with patient.client(base_url=served.url) as http:
        for key in (made.key, wrong):
            http.get("/api/v1/accounts", headers={"x-api-key": key})
            http.get("/api/v1/accounts", params={"x-api-key": key})
            http.get(f"/api/v1/accounts/{key}", headers={"x-api-key": key})
            http.get(f"/{key}/{key}")
            http.post("/api/v1/product-groups", headers={"x-api-key": key}, json={"name": key, key: key})
            http.post("/api/v1/product-groups", headers={"x-api-key": key}, content=f'{{"name": "{key}'.encode())
            http.get("/api/v1/accounts", headers={"Authorization": f"Bearer {key}"})
            http.get("/api/v1/accounts", headers={"x-request-id": f"{key} {key}"})
        http.get("/api/v1/accounts", headers={"Authorization": f"Bearer {bearer}", "Cookie": f"s={cookie}"})
        http.request("TRACE", f"/api/v1/accounts?x-api-key={made.key}")
        grant = {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": client_secret}
        http.post("/api/v1/auth/token", data=grant)
        http.post("/api/v1/oauth/revoke", data={"token": bearer, "client_secret": client_secret})
    with socket.create_connection(served.address) as raw:
        raw.sendall(f"GET /{made.key} HTTP/9.9\r\nx-api-key {made.key}\r\n\r\n".encode())
        raw.recv(4096)
    metrics = patient.get(f"{served.url}/metrics").text
    written = served.program.errors
    assert len([line for line in served.program.log if line["event"] == "request"]) > 15
    for secret in (made.key, wrong, bearer, client_secret, cookie, SMTP_PASSWORD):
        assert secret not in written
        assert secret not in metrics


def test_log_lines_have_their_fields(served: Served) -> None:
    answer = served.http.get("/api/v1/products", params={"search": "x"}, headers={"x-request-id": "my-request-1"})
    assert answer.headers["x-request-id"] == "my-request-1"
    # It is written once the answer is on its way.
    (line,) = wait_for(lambda: [line for line in served.program.log if line.get("request_id") == "my-request-1"])
    milliseconds, timestamp = line.pop("milliseconds"), line.pop("timestamp")
    assert isinstance(milliseconds, int)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", timestamp)
    assert line == {
        "event": "request", "request_id": "my-request-1", "method": "GET", "path": "/api/v1/products", "status": 200,
        "level": "info",
    }  # fmt: skip


def test_commands_work_beside_it(serve_own: Callable[..., Served], own_data: Path, made: Made) -> None:
    served, at = serve_own(), ("--data-dir", own_data)
    particulars = {
        "address": "Havnegade 1", "postalCode": "1058", "city": "København K", "vatNumber": "13585628",
        "email": "faktura@example.com", "bankName": "Danske Bank", "bankRegistrationNumber": "0040",
        "bankAccountNumber": "0440116243", "iban": "DK5000400440116243", "bic": "DABADKKK",
    }  # fmt: skip
    options = [f"--{re.sub('([A-Z])', lambda found: '-' + found[0].lower(), name)}" for name in particulars]
    given = [part for pair in zip(options, particulars.values(), strict=True) for part in pair]
    company = cli_json("company", "create", "--name", "Anden A/S", "--country", "dk", *given, *at)
    assert set(company) == {"id", "name", "isSandbox"}
    made_key = cli_json("api-key", "create", "--company", company["id"], "--scopes", "accounts-read,company-read", *at)
    assert set(made_key) == {"id", "key"}
    theirs = {"x-api-key": made_key["key"]}
    told = patient.get(f"{served.url}/api/v1/company", headers=theirs).json()
    assert {field: told[field] for field in ("name", *particulars)} == {"name": "Anden A/S", **particulars}
    assert refusal("company", "create", "--name", "X", "--country", "dk", "--iban", "DK51", *at) == (
        "iban must be a valid IBAN"
    )
    assert refusal("company", "create", "--name", "X", "--country", "dk", "--email", "x", *at) == (
        "email must be an email"
    )
    assert patient.get(f"{served.url}/api/v1/customers", headers=theirs).status_code == 403
    listed = cli_json("company", "list", *at)["companies"]
    assert [row["id"] for row in listed] == [made.company, company["id"]]
    invite = ("user", "create", "--email", "ib@example.com", "--role", "owner", "--company", made.company)
    link = cli_json(*invite, "--data-dir", own_data)["link"]
    assert link.startswith(f"{served.url}/invitations/"), "where it listens"
    assert patient.get(link).status_code == 200
    year = ("--fiscal-year-start", "2025-07-01", "--fiscal-year-end", "2026-12-31")
    uneven = cli_json("company", "create", "--name", "Tredje A/S", "--country", "DK", *year, *at)["id"]
    key = cli_json("api-key", "create", "--company", uneven, "--scopes", "accounts-read", *at)["key"]
    (first,) = patient.get(f"{served.url}/api/v1/fiscal-years", headers={"x-api-key": key}).json()
    assert (first["startDate"], first["endDate"]) == ("2025-07-01", "2026-12-31")
    assert "name one with --company" in refusal("api-key", "create", "--scopes", "all", *at)
    status = cli_json("db", "status", *at)
    assert (status["state"], status["version"], status["dataDir"]) == ("running", "18", str(own_data))
    assert status["sizeBytes"] > 1_000_000


def test_the_operator_switches_licences(served: Served, made: Made) -> None:
    at = ("--company", made.company, "--data-dir", made.data_dir)
    assert cli_json("company", "licenses", "--set", "CustomerPortal, Subscription", *at) == {
        "id": made.company,
        "licenses": ["Subscription", "CustomerPortal"],
    }
    assert served.http.get("/api/v1/company").status_code == 200
    assert "must be one of" in refusal("company", "licenses", "--set", "Everything", *at)
    assert cli_json("company", "licenses", *at)["licenses"] == ["Subscription", "CustomerPortal"]
