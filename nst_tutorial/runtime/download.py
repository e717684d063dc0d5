"""VGG19's file: fetched once through Keras, or a sentence that says why not and what else helps.

The only module that may touch the network. Keras downloads under the file's own name and leaves a
file there whose hash is wrong; so it gets an empty folder, and what is whole is moved out of it.
(pooch was tried: it removes such a file, so that a login page could not be told from a cut one, and
needs a second table of exceptions, those of requests.)
"""

import contextlib
import hashlib
import http.client
import os
import shutil
import socket
import ssl
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.files import open_file
from nst_tutorial.runtime.machine import keras_home
from nst_tutorial.runtime.types import PathLike

# keras.applications.VGG19(include_top=False) downloads this very file to this very place.
VGG19_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
VGG19_URL = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg19/{VGG19_FILE}"
VGG19_MD5 = "253f8cb515780f3b799900260a226db6"

SILENCE = 30.0  # seconds without a byte after which a download ends
ABANDONED = 3600.0  # seconds after which what a killed download left is cleared away
UNFINISHED = ".unfinished-"  # what the folders of downloads begin with

CAUSES = {  # the first that fits; the most special before what they are kinds of
    ssl.SSLCertVerificationError: "the server's certificate is not trusted, as behind a filter "
    "that opens encrypted connections",
    ssl.SSLError: "no encrypted connection could be made",
    TimeoutError: "nothing came for {silence:.0f} seconds",
    socket.gaierror: "the server's name was not found: there is no network, or it blocks names",
    ConnectionRefusedError: "the connection was refused",
    urllib.error.HTTPError: "the server, or a filter before it, answered with status {error.code}",
    urllib.error.ContentTooShortError: "the connection broke off before the file was whole",
    http.client.HTTPException: "the connection broke off before the file was whole",
    ConnectionError: "the connection broke off before the file was whole",
}


def vgg19_file() -> Path:
    """Where VGG19's weights are, or will be: what NST_VGG19_WEIGHTS names, or Keras' cache."""
    return Path(os.environ.get("NST_VGG19_WEIGHTS") or _cache() / VGG19_FILE)


def download_vgg19() -> Path:
    """Fetch VGG19's ImageNet weights (80 MB) once, hash-checked, with progress; return the path.

    Raises:
        NSTError: they could not be fetched; nothing is left of them.
    """
    path = _cache() / VGG19_FILE
    if not is_whole(path):
        with _folder_beside(path) as folder:
            fetched = _fetch(folder)
            os.replace(fetched, path)
    return path


def is_whole(path: PathLike) -> bool:
    """Whether a file is there and is, by its hash, the one that Keras' VGG19 is made of."""
    with contextlib.suppress(NSTError), open_file(path) as file:
        return hashlib.file_digest(file, "md5").hexdigest() == VGG19_MD5
    return False


def state_of_vgg19() -> str:
    """Say in a few words whether VGG19's weights are here."""
    path = vgg19_file()
    if not path.exists():
        return "not here"
    return "here" if is_whole(path) else "here, but other than Keras' file: its hash differs"


def state_of_network(seconds: float = 5.0) -> str:
    """Ask the server for the file's header alone, and say in a few words what came of it."""
    answers = []
    # Looking up a name has no time limit of its own; a thread that is not waited for has.
    thread = threading.Thread(target=lambda: answers.append(_ask(seconds)), daemon=True)
    thread.start()
    thread.join(seconds + 1)
    return answers[0] if answers else CAUSES[TimeoutError].format(silence=seconds)


def _ask(seconds):
    try:
        question = urllib.request.Request(VGG19_URL, method="HEAD")
        with urllib.request.urlopen(question, timeout=seconds) as answer:
            page = answer.headers.get_content_type() == "text/html"
            return "a web page answers instead" if page else "VGG19's server can be reached"
    except (OSError, http.client.HTTPException) as error:
        return _cause(error, seconds)


def _fetch(folder):
    """Have Keras download into an empty folder; return the path of the whole file."""
    # Here, so that a look at the cache loads no TensorFlow.
    from nst_tutorial.runtime.backend import keras

    where = {"cache_dir": str(folder), "cache_subdir": ""}
    try:
        with _silence_ends_it():
            return keras.utils.get_file(VGG19_FILE, VGG19_URL, file_hash=VGG19_MD5, **where)
    except Exception as error:  # Keras raises whatever the network did
        arrived = folder / VGG19_FILE  # Keras removes it, but for one that came with another hash
        cause = _what_came(arrived) if arrived.exists() else _cause(error, SILENCE)
        raise NSTError(
            f"VGG19's weights could not be fetched: {cause}; set NST_VGG19_WEIGHTS to a copy of "
            "the file, use the embedded extractor, 'pocket', or run 'nst-tutorial download vgg19' "
            "on another network."
        ) from error


def _what_came(path):
    with open(path, "rb") as file:
        page = file.read(1000).lstrip().startswith(b"<")
    if page:
        return "a web page came instead, as from a network that one must log in to"
    return "what came is not the file, it was altered or cut on the way (its hash differs)"


def _cause(error, silence):
    """Say what the network did; Keras and urllib wrap it in exceptions of their own."""
    beneath = [error]
    while error := error.__cause__ or error.__context__:
        beneath.append(error)
    for one in beneath:
        if isinstance(one, urllib.error.HTTPError):
            one.close()  # it holds the connection
    for kind, words in CAUSES.items():
        for one in beneath:
            if isinstance(one, kind):
                return words.format(error=one, silence=silence)
    last = beneath[-1]
    return " ".join(f"{getattr(last, 'strerror', None) or last}".split()).rstrip(".")


@contextlib.contextmanager
def _silence_ends_it():
    """Keras sets no time limit: where nothing came, it would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(None if before == SILENCE else before)  # another download's


@contextlib.contextmanager
def _folder_beside(path):
    """A folder for one download alone: two at a time do not meet, and none leaves half a file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for abandoned in path.parent.glob(f"{UNFINISHED}*"):
            with contextlib.suppress(FileNotFoundError):  # it ends in this moment
                changed = max(one.stat().st_mtime for one in (abandoned, *abandoned.iterdir()))
                if time.time() - changed > ABANDONED:
                    shutil.rmtree(abandoned, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=UNFINISHED))
    except OSError as error:
        raise NSTError(
            f"VGG19's weights cannot be kept in {path.parent} ({error.strerror}); set KERAS_HOME "
            "to a folder of yours, or NST_VGG19_WEIGHTS to a copy of the file."
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cache():
    return keras_home() / "models"
