from tests.conftest import Api


async def test_a_new_company_has_its_chart(api: Api) -> None:
    answer = await api.get("/v1/accounts")
    assert answer.status_code == 200
    assert 1010 in {account["accountNumber"] for account in answer.json()}
