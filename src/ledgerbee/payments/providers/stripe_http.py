"""How Stripe's SDK asks over HTTP: bounded answers, no redirects. Loading this loads the SDK."""

import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import httpx
import stripe

from ledgerbee.payments.providers.model import ProviderUnclearError

#: Bytes of an answer: a page of a hundred payment intents with their charges has about one million.
_MOST_ANSWER: Final = 10_000_000


@cache
def _certificates() -> ssl.SSLContext:
    """Whom to trust: reading it takes longer than asking."""
    return httpx.create_ssl_context()


class StripeHttp(stripe.HTTPClient):
    """The SDK's client, with bodies as httpx wants them: its own hands them over in a way that is on its way out."""

    name = "httpx"

    def __init__(self, timeout_s: float) -> None:
        super().__init__()
        self._http = httpx.AsyncClient(timeout=timeout_s, follow_redirects=False, verify=_certificates())

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request: body, status and headers. Raises `ProviderUnclearError` where there is no whole answer."""
        # What comes in is counted as it comes in.
        asked = {**headers, "accept-encoding": "identity"}
        try:
            async with self._http.stream(method.upper(), url, headers=asked, content=post_data or None) as answer:
                content = bytearray()
                async for part in answer.aiter_raw():
                    content += part
                    if len(content) > _MOST_ANSWER:
                        raise ProviderUnclearError(f"Stripe answers with more than {_MOST_ANSWER} bytes")
                return bytes(content), answer.status_code, answer.headers
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise ProviderUnclearError(f"Stripe can't be reached: {type(fault).__name__}") from None

    async def close_async(self) -> None:
        """End its connections."""
        await self._http.aclose()


def client_of(secret_key: str, base_url: str | None, http: StripeHttp) -> stripe.StripeClient:
    """The SDK for one account. Whoever asks decides what an unclear answer is followed by: it tries nothing twice."""
    return stripe.StripeClient(
        secret_key,
        base_addresses=None if base_url is None else {"api": base_url.rstrip("/")},
        http_client=http,
        max_network_retries=0,
    )
