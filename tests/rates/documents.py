"""Documents as the European Central Bank publishes them, made of any figures; and a server that hands them out."""

import io
import ssl
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Days = Mapping[date, Mapping[str, object]]

_ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" \
xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><gesmes:subject>Reference rates</gesmes:subject>\
<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender><Cube>{days}</Cube></gesmes:Envelope>"""


def xml(days: Days) -> bytes:
    """`eurofxref-daily.xml`, `eurofxref-hist-90d.xml` and `eurofxref-hist.xml`."""
    cubes = (
        f"<Cube time='{day}'>{''.join(f'<Cube currency={code!r} rate={str(rate)!r}/>' for code, rate in rates.items())}"
        "</Cube>"
        for day, rates in days.items()
    )
    return _ENVELOPE.format(days="".join(cubes)).encode()


def csv(days: Days) -> bytes:
    """The file in `eurofxref-hist.zip`: a column for each currency there ever was, and a comma at the end."""
    codes = list(dict.fromkeys(code for rates in days.values() for code in rates))
    rows = (f"{day},{','.join(str(rates.get(code, 'N/A')) for code in codes)}," for day, rates in days.items())
    return ("\n".join([f"Date,{','.join(codes)},", *rows]) + "\n").encode()


def daily_csv(day: date, rates: Mapping[str, object]) -> bytes:
    """The file in `eurofxref.zip`: the day in words, blanks after commas."""
    head = ", ".join(["Date", *rates]) + ", "
    return f"{head}\n{day:%d %B %Y}, {', '.join(map(str, rates.values()))}, \n".encode()


def zipped(*members: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for number, member in enumerate(members):
            # A date of its own: tests are named after these bytes, and every process has to give them the same names.
            entry = zipfile.ZipInfo(f"eurofxref-{number}.csv", date_time=(2026, 3, 16, 16, 0, 0))
            archive.writestr(entry, member, compress_type=method)
    return packed.getvalue()


@dataclass
class FeedServer:
    """A web server that answers each request as it is told."""

    url: str = ""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    #: Writes the whole answer to a request; None answers with `content`.
    answer: Callable[[BaseHTTPRequestHandler], None] | None = None
    content: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    #: Set when the server ends, for answers that keep their caller waiting.
    ended: threading.Event = field(default_factory=threading.Event)

    def hang(self) -> None:
        """Take requests and never answer."""

        def answer(_: BaseHTTPRequestHandler) -> None:
            self.ended.wait(60)

        self.answer = answer

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        self.requests.append((request.path, dict(request.headers.items())))
        if self.answer is not None:
            self.answer(request)
            return
        request.send_response(self.status)
        for name, value in {"content-length": str(len(self.content)), **self.headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(self.content)


@contextmanager
def feed_server(tls: ssl.SSLContext | None = None) -> Iterator[FeedServer]:
    """A server on a free port of the loopback."""
    told = FeedServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                told.respond(self)
            except (ConnectionError, ssl.SSLError):
                self.close_connection = True  # the caller has had enough

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # a caller that doesn't like our certificate

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    told.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/eurofxref.xml"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield told
    finally:
        told.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
