"""What becomes of one request, over real sockets."""

import socket
import ssl
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connections import http

SECRETS = {"ApiIntegrationCode": "TRACK", "Secret": "right", "UserName": "api@example.com"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        getattr(self, self.path.strip("/").replace("-", "_") or "plain")()

    do_POST = do_GET

    def plain(self, status=200, body=b'{"ok": 1.50}', **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def marked(self):
        self.plain(body=b'\xef\xbb\xbf{"ok": 1}')

    def elsewhere(self):
        self.plain(307, b"", Location=f"http://127.0.0.1:{self.server.server_address[1]}/plain")

    def half(self):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b'{"items": [')
        self.close_connection = True

    def cut(self):
        self.close_connection = True

    def dripping(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        while not self.server.over.wait(0.05):
            self.wfile.write(b" ")

    def silent(self):
        self.server.over.wait(20)
        self.close_connection = True

    def log_message(self, *args):
        pass


@pytest.fixture
def far():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.over, server.daemon_threads = [], threading.Event(), True
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def quick(settings):
    settings.EXECUTOR = settings.EXECUTOR | {"connect_timeout_s": 0.3, "read_timeout_s": 0.3}


def send(far, path, method="POST"):
    return http.send("key", method, f"{far.url}/{path}", headers=SECRETS, data=b"{}")


def closed_port():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


def test_a_whole_answer_comes_back_whatever_its_status(far):
    answer = send(far, "plain")
    assert (answer.status, answer.text) == (200, '{"ok": 1.50}')
    assert answer.headers["content-length"] == "12"


def test_a_byte_order_mark_is_not_part_of_the_text(far):
    assert send(far, "marked").text == '{"ok": 1}'


def test_a_redirect_is_an_answer_and_the_credentials_do_not_follow_it(far):
    assert send(far, "elsewhere").status == 307
    assert [path for _, path, _ in far.seen] == ["/elsewhere"]


@pytest.mark.parametrize("path", ["half", "cut", "dripping", "silent"])
def test_anything_less_than_a_whole_answer_is_no_answer_and_is_sent_once(far, path):
    with pytest.raises(http.NoAnswer):
        send(far, path)
    assert len(far.seen) == 1


def test_a_huge_answer_is_given_up(far, monkeypatch):
    monkeypatch.setattr(http, "MAX_BYTES", 5)
    with pytest.raises(http.NoAnswer, match="larger"):
        send(far, "plain")


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://no-such-host.invalid/", "ftp://x/", "http://[/"])
def test_what_never_left_was_not_sent(url):
    with pytest.raises(http.NotSent):
        http.send("key", "POST", url.format(port=closed_port()), headers=SECRETS, data=b"{}")


def test_a_server_without_a_trusted_certificate_gets_nothing(far, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own_certificate(tmp_path))
    far.socket = context.wrap_socket(far.socket, server_side=True)
    far.handle_error = lambda *args: None
    with pytest.raises(http.NotSent, match="certificate is not trusted"):
        http.send("key", "POST", far.url.replace("http:", "https:"), headers=SECRETS, data=b"{}")
    assert far.seen == []


def own_certificate(folder):
    """A certificate for 127.0.0.1 that nobody but its maker signed, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, datetime(2020, 1, 1), datetime(2099, 1, 1))
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file = folder / "server.pem"
    file.write_bytes(certificate.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return file


def test_proxies_and_credentials_of_the_environment_are_ignored(far, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    assert send(far, "plain").status == 200
    assert "Authorization" not in far.seen[0][2]


def test_each_thread_and_each_key_has_a_session_of_its_own():
    found = [http.session_for("one"), http.session_for("two"), http.session_for("one")]
    thread = threading.Thread(target=lambda: found.append(http.session_for("one")))
    thread.start()
    thread.join()
    assert found[0] is found[2]
    assert len({id(session) for session in found}) == 3


def test_a_connection_that_idled_is_not_trusted_with_the_next_request(far, monkeypatch):
    session = http.session_for("idle")
    closed = []
    monkeypatch.setattr(session, "close", lambda: closed.append(True))
    http.session_for("idle")
    assert not closed
    monkeypatch.setattr(http, "IDLE_S", -1)
    http.session_for("idle")
    assert closed


def test_secrets_outside_ascii_travel_as_utf_8(far):
    http.send("key", "GET", f"{far.url}/plain", headers={"Secret": "pässwörd€"})
    assert far.seen[0][2]["Secret"].encode("latin-1").decode() == "pässwörd€"
