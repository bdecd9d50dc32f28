"""moto over HTTP, for clients that are not boto3's: what is mocked in this process answers at an address on loopback."""

import functools
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.models import botocore_stubber

SCOPE = re.compile(r"Credential=[^/]+/[0-9]{8}/([a-z0-9-]+)/([a-z]+)/aws4_request")


class _Handler(BaseHTTPRequestHandler):
    """Passes each request on to the service that it is signed for."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        """Answer as AWS does."""
        scope = SCOPE.search(self.headers["Authorization"])
        assert scope is not None
        region, service = scope.groups()
        headers = HTTPHeaders()
        for name, value in self.headers.items():
            headers[name] = value
        url = f"https://{service}.{region}.amazonaws.com/"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = botocore_stubber.process_request(AWSPreparedRequest("POST", url, headers, body, stream_output=False))
        assert answer is not None, "nothing is mocked"
        status, sent, content = answer
        encoded = content.encode() if isinstance(content, str) else content
        self.send_response(int(status))
        for name, value in sent.items():
            if name.lower() not in {"content-length", "date", "server"}:
                self.send_header(name, str(value))
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@functools.cache
def moto_url() -> str:
    """Serve whatever ``mock_aws`` mocks at the time of a request, once for all tests of this process; return the URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    # It ends with the process, as every thread of a server does that nobody has to wait for.
    threading.Thread(target=server.serve_forever, name="moto gateway", daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
