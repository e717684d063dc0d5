"""A network that is slow, broken or lying: VGG19's file is whole, or a sentence says what to do."""

import contextlib
import hashlib
import http.server
import os
import signal
import socket
import ssl
import struct
import sys
import threading
import time

import children
import pytest

from nst_tutorial import NSTError
from nst_tutorial.runtime import download
from nst_tutorial.runtime.download import download_vgg19

FILE = b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 800
PAGE = b"<!DOCTYPE html><title>Log in to the school's network</title>"
WAYS_ON = ("NST_VGG19_WEIGHTS", "'pocket'", "'nst-tutorial download vgg19' on another network")
SILENCE = 2.0  # in these tests

# Signed by itself for 127.0.0.1, as a filter's certificate is; it protects nothing.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTzLhpAx0h5eYf2bo
CbGsaur70O0JYuQ7nXNdCP+J1rihRANCAAQcdKBsR5Ty8yNewkZH/aJBAq1hCoPd
ZAKDZgg62oVGjoEeFwoCET/SUJANnlG7WalEl/CQMqbf7rB2OBdwzg5o
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUHDmeOPPzLOPq2/39r5sDDtjYX0wwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMzEzNDEyMloYDzIxMjYxMDMw
MTM0MTIyWjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQcdKBsR5Ty8yNewkZH/aJBAq1hCoPdZAKDZgg62oVGjoEeFwoCET/S
UJANnlG7WalEl/CQMqbf7rB2OBdwzg5oo2QwYjAdBgNVHQ4EFgQUqpq8dIvkADnL
fCbJ10L0mh+SQzwwHwYDVR0jBBgwFoAUqpq8dIvkADnLfCbJ10L0mh+SQzwwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUC
IQC/8zFcQVlvOB1/1+AetSfqsIV8keL0apyLSoCU7s7ERAIgOvrbtHY28MjHTI72
5cxFyVFNqk+xXD/wenOR/EwIkY0=
-----END CERTIFICATE-----
"""


class Server(http.server.BaseHTTPRequestHandler):
    """Serves FILE, with the fault that the path names."""

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.answer(b"", length=len(FILE))

    def do_GET(self):
        with contextlib.suppress(ConnectionError):  # whoever asked may be gone
            getattr(self, self.path.strip("/"))()

    def answer(self, body, status=200, kind="application/octet-stream", length=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def whole(self):
        self.answer(FILE, length=len(FILE))

    def slow(self):
        """Each pause is shorter than the silence that ends a download; together they are not."""
        self.answer(b"", length=len(FILE))
        for start in range(0, len(FILE), len(FILE) // 12):
            time.sleep(SILENCE / 8)
            self.wfile.write(FILE[start : start + len(FILE) // 12])

    def silent(self):
        time.sleep(1.5 * SILENCE)

    def falls_silent(self):
        self.answer(FILE[:5000], length=len(FILE))
        self.silent()

    def closes_early(self):
        self.answer(FILE[: len(FILE) // 2], length=len(FILE))

    def cut(self):
        self.answer(FILE[: len(FILE) // 2])

    def altered(self):
        self.answer(FILE[:-1] + b"x", length=len(FILE))

    def resets(self):
        self.answer(FILE[:5000], length=len(FILE))
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def no_http(self):
        self.wfile.write(b"220 mail.example ESMTP\r\n")

    def forbidden(self):
        self.answer(b"no", status=403)

    def proxy(self):
        self.answer(b"no", status=407)

    def login(self):
        self.answer(PAGE, kind="text/html", length=len(PAGE))

    def redirects(self, to="/login"):
        self.send_response(302)
        self.send_header("Location", to)
        self.end_headers()

    def circles(self):
        self.redirects("/circles")


@contextlib.contextmanager
def serving(certificate=None):
    """Run the server on the loopback address; its handlers may still sleep when it ends."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        server.handle_error = lambda *args: None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def server():
    with serving() as address:
        yield address


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, and the hash of what the server has."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(download, "VGG19_MD5", hashlib.md5(FILE).hexdigest())
    monkeypatch.setattr(download, "SILENCE", SILENCE)
    return tmp_path / "models"


@pytest.fixture
def fetch_from(monkeypatch):
    def fetch(url):
        monkeypatch.setattr(download, "VGG19_URL", url)
        return download_vgg19()

    return fetch


@pytest.mark.parametrize("path", ["whole", "slow"])
def test_a_whole_file_comes_once_with_progress(server, fetch_from, cache, capsys, path):
    began = time.monotonic()
    assert fetch_from(f"{server}/{path}").read_bytes() == FILE
    assert path == "whole" or time.monotonic() - began > SILENCE
    out = capsys.readouterr().out
    assert "Downloading data from" in out
    assert f"{len(FILE)}/{len(FILE)}" in out
    assert [one.name for one in cache.iterdir()] == [download.VGG19_FILE]
    assert fetch_from("http://127.0.0.1:9/").read_bytes() == FILE  # nobody listens there
    assert capsys.readouterr().out == ""


FAULTS = {
    "silent": "nothing came for 2 seconds",
    "falls_silent": "nothing came for 2 seconds",
    "closes_early": "the connection broke off before the file was whole",
    "resets": "the connection broke off before the file was whole",
    "no_http": "the connection broke off before the file was whole",
    "cut": "what came is not the file, it was altered or cut on the way (its hash differs)",
    "altered": "what came is not the file, it was altered or cut on the way (its hash differs)",
    "forbidden": "the server, or a filter before it, answered with status 403",
    "proxy": "the server, or a filter before it, answered with status 407",
    "circles": "the server, or a filter before it, answered with status 302",
    "login": "a web page came instead, as from a network that one must log in to",
    "redirects": "a web page came instead, as from a network that one must log in to",
}


def one_sentence(fetch, cache, fault, cause):
    """A download fails in one sentence that names cause and ways on, and leaves nothing."""
    with pytest.raises(NSTError) as caught:
        fetch()
    sentence = str(caught.value)
    left = [one.name for one in cache.iterdir()]
    print(f"\n| {fault} | {sentence} | cache: {', '.join(left) or 'empty'} |")
    assert sentence.startswith(f"VGG19's weights could not be fetched: {cause}")
    assert all(way in sentence for way in WAYS_ON)
    assert "\n" not in sentence
    assert left == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_sentence_and_leaves_nothing(server, fetch_from, cache, fault):
    before = socket.getdefaulttimeout()
    one_sentence(lambda: fetch_from(f"{server}/{fault}"), cache, fault, FAULTS[fault])
    assert socket.getdefaulttimeout() == before


def test_nobody_listens(fetch_from, cache):
    one_sentence(
        lambda: fetch_from("http://127.0.0.1:9/"), cache, "refused", "the connection was refused"
    )


def test_no_name(fetch_from, cache, monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    cause = "the server's name was not found"
    one_sentence(lambda: fetch_from("http://nowhere.invalid/"), cache, "no name", cause)


def test_a_filter_that_opens_encrypted_connections(fetch_from, cache, tmp_path):
    (tmp_path / "filter.pem").write_text(CERTIFICATE)
    cause = "the server's certificate is not trusted"
    with serving(tmp_path / "filter.pem") as address:
        one_sentence(lambda: fetch_from(f"{address}/whole"), cache, "TLS filter", cause)


def test_a_full_disk(server, fetch_from, cache, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("urllib.request.open", full, raising=False)  # where a file is begun
    cause = "No space left on device"
    one_sentence(lambda: fetch_from(f"{server}/whole"), cache, "full disk", cause)


def test_a_cache_that_cannot_be_written(server, fetch_from, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file"))
    with pytest.raises(NSTError, match=r"cannot be kept in .* set KERAS_HOME to a folder of yours"):
        fetch_from(f"{server}/whole")


def test_a_damaged_file_in_the_cache_is_fetched_again(server, fetch_from, cache):
    """As Keras' own download leaves it, when it is killed."""
    cache.mkdir()
    (cache / download.VGG19_FILE).write_bytes(FILE[:5000])
    assert download.state_of_vgg19() == "here, but other than Keras' file: its hash differs"
    assert fetch_from(f"{server}/whole").read_bytes() == FILE
    assert download.state_of_vgg19() == "here"


def test_two_at_once(server, fetch_from, cache):
    fetched = []
    threads = [
        threading.Thread(target=lambda: fetched.append(fetch_from(f"{server}/slow")))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() for path in fetched] == [FILE, FILE]
    assert [one.name for one in cache.iterdir()] == [download.VGG19_FILE]
    assert socket.getdefaulttimeout() is None


def stop_a_download_by(number, server, cache):
    """Send a signal to a process that has half a file."""
    process = children.start(download_into, cache, f"{server}/falls_silent")
    while not list(cache.glob(f"*/{download.VGG19_FILE}")):
        assert process.is_alive(), "it ended by itself"
        time.sleep(0.02)
    os.kill(process.pid, number)
    process.join()


def download_into(cache, url):
    os.environ["KERAS_HOME"], download.VGG19_URL = str(cache.parent), url
    download_vgg19()


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
def test_ctrl_c_leaves_nothing(server, cache):
    stop_a_download_by(signal.SIGINT, server, cache)
    assert list(cache.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
def test_kill_leaves_no_file_and_what_it_leaves_is_cleared(server, fetch_from, cache):
    stop_a_download_by(signal.SIGKILL, server, cache)
    (left,) = cache.iterdir()
    assert left.name.startswith(download.UNFINISHED)
    assert fetch_from(f"{server}/whole").read_bytes() == FILE
    assert left.exists()  # as young as this it may be another process's
    for one in (*left.iterdir(), left):
        os.utime(one, (0, 0))
    (cache / download.VGG19_FILE).unlink()
    fetch_from(f"{server}/whole")
    assert [one.name for one in cache.iterdir()] == [download.VGG19_FILE]


# The doctor's look at the network -----------------------------------------------------------------


def test_state_of_the_network(server, monkeypatch):
    for url, state in [
        (f"{server}/whole", "VGG19's server can be reached"),
        ("http://127.0.0.1:9/", "the connection was refused"),
    ]:
        monkeypatch.setattr(download, "VGG19_URL", url)
        assert download.state_of_network() == state


def test_the_look_at_the_network_ends(monkeypatch):
    """Looking up a name has no time limit of its own."""
    end = threading.Event()

    def look_up(*_, **__):
        end.wait(600)
        raise OSError("it was waited for")

    monkeypatch.setattr("urllib.request.urlopen", look_up)
    assert download.state_of_network(0.1) == "nothing came for 0 seconds"
    end.set()
