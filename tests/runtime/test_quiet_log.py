"""What PostgreSQL's own log tells of refused credentials and repeated requests: nothing."""

import hashlib
from pathlib import Path

import httpx
from asgi_lifespan import LifespanManager
from tests.conftest import SteeredClock, allow_any_moment, new_company
from tests.platform.servers import end

from ledgerbee import embedded as postgres
from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.migrations.migrate import migrate
from ledgerbee.platform.db import Database


async def test_refusals_are_no_errors_of_the_database(own_folder: Path) -> None:
    """No statement of an ordinary request fails, so none is logged with the hashes, keys and companies in it."""
    server = postgres.ensure_running(own_folder / "data")
    try:
        url = server.dsn()
        await migrate(url)
        await allow_any_moment(url)
        clock = SteeredClock()
        database = await Database.open(url, reactions=REACTIONS, max_size=2)
        app = create_app(url, Settings(attachments_dir=own_folder / "files"), clock=clock)
        async with LifespanManager(app) as manager:
            transport = httpx.ASGITransport(manager.app, client=("127.0.0.1", 40000))
            async with httpx.AsyncClient(transport=transport, base_url="http://ledgerbee.test") as http:
                api = await new_company(http, database, clock)
                keyed = {"headers": {"x-api-idempotency-key": "a-key-that-comes-twice"}}
                body = {"name": "Place", "isUnique": False}
                first, again = [await api.post("/v1/dimensions", body, **keyed) for _ in range(2)]
                other = await api.post("/v1/dimensions", {**body, "name": "Other"}, **keyed)
                assert [answer.status_code for answer in (first, again, other)] == [201, 201, 409]
                made = (await api.post("/v1/api-keys", {"name": "x", "scopes": ["customers-read"]})).json()
                shown = {"x-api-key": made["key"]}
                assert (await http.get("/api/v1/customers", headers=shown)).status_code == 200  # it is remembered now
                assert (await api.delete(f"/v1/api-keys/{made['id']}")).status_code == 204
                assert (await http.get("/api/v1/customers", headers=shown)).status_code == 401
                unknown = await http.get("/api/v1/customers", headers={"x-api-key": "lb_unknown"})
                assert unknown.status_code == 401
        await database.close()
        log = "".join(file.read_text() for file in (own_folder / "data").rglob("log/*.log"))
    finally:
        end(own_folder / "data")
    assert "ready to accept connections" in log
    assert "ERROR" not in log
    for told in (api.key, made["key"]):
        assert hashlib.sha256(told.encode()).hexdigest() not in log
    assert b"a-key-that-comes-twice".hex() not in log
    assert str(api.company_id) not in log
