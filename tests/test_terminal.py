"""No run ends because of the terminal, and nothing that a file says commands it."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest
import quick

from nst_tutorial import NSTError, load_image, save_image
from nst_tutorial.__main__ import main
from nst_tutorial.cli import commands
from nst_tutorial.cli.terminal import Steady, say, tell
from nst_tutorial.runtime.errors import LONGEST, NSTWarning, printable


class Broken(io.StringIO):
    def write(self, text):
        raise OSError(28, "No space left on device")


class ReaderGone(io.StringIO):
    def flush(self):
        raise BrokenPipeError


@pytest.mark.parametrize("stream", [None, Broken(), ReaderGone()])
def test_a_broken_stream_is_silent(stream):
    steady = Steady(stream)
    for _ in range(2):
        assert steady.write("words") == 5
        steady.flush()
    assert steady.isatty() is False


def test_a_closed_stream_is_silent():
    closed = io.StringIO()
    closed.close()
    assert Steady(closed).write("words") == 5


def test_a_steady_stream_says_what_its_encoding_lacks_in_escapes():
    under = io.BytesIO()
    steady = Steady(io.TextIOWrapper(under, encoding="ascii"))
    print("a café", file=steady, flush=True)
    assert under.getvalue().split() == [b"a", rb"caf\xe9"]


def test_a_sentence_is_one_line_without_commands_to_the_terminal(capsys):
    say("a\x1b[31mred\nname")
    tell("b\x07ell\u202e")
    out, err = capsys.readouterr()
    assert err == "nst-tutorial: a�[31mred name\n"
    assert out == "b�ell�\n"
    assert str(NSTError("a\x1b]0;title")) == "a�]0;title"
    assert str(NSTWarning("a\tb")) == "a b"
    assert len(printable("x" * 10**6)) < LONGEST + 10


@pytest.mark.skipif(sys.platform == "win32", reason="this redirection is the shell's")
def test_a_picture_is_painted_with_no_terminal_at_all(tmp_path, photograph):
    save_image(tmp_path / "photo.png", photograph)
    command = f'"{sys.executable}" -m nst_tutorial stylize photo.png photo.png -o out.png '
    command += f"--extractor random --size 64 --steps 2 {' '.join(quick.OPTIONS)} <&- >&- 2>&-"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, timeout=600, check=False)
    assert done.returncode == 0
    assert load_image(tmp_path / "out.png").shape == load_image(tmp_path / "photo.png", 64).shape


def test_an_interrupt_while_the_command_line_is_loaded_is_no_traceback(monkeypatch):
    class Interrupted:
        def find_spec(self, name, *where):
            if name == "nst_tutorial.cli.commands":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "nst_tutorial.cli.commands")
    monkeypatch.delattr("nst_tutorial.cli.commands", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    assert main(["doctor"]) == 130


def test_what_nobody_expected_is_a_sentence_and_a_report(monkeypatch, capsys, tmp_path):
    def fail(options):
        raise RuntimeError("a \x1b fault")

    monkeypatch.setattr(commands, "doctor", fail)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["doctor"]) == 1
    said = capsys.readouterr().err
    [report] = tmp_path.iterdir()
    assert said.count("\n") == 1
    assert (
        f"something went wrong (RuntimeError: a � fault); please report it, with {report}" in said
    )
    assert 'raise RuntimeError("a' in report.read_text()


def test_an_output_that_is_an_input_is_refused(monkeypatch, capsys, tmp_path, photograph):
    monkeypatch.chdir(tmp_path)
    for name in ("photo.png", "style.png"):
        save_image(name, photograph)
    os.link("photo.png", "link.png")
    before = (tmp_path / "photo.png").read_bytes()
    for output in ("photo.png", "./style.png", str(tmp_path / "photo.png"), "link.png"):
        assert main(["stylize", "photo.png", "style.png", "-o", output]) == 2
        assert "is one of the inputs and would be overwritten" in capsys.readouterr().err
    assert (tmp_path / "photo.png").read_bytes() == before


def test_files_keep_their_permissions_and_new_ones_get_the_usual(tmp_path):
    if sys.platform == "win32":
        pytest.skip("Windows has other permissions")
    old_mask = os.umask(0o027)
    try:
        save_image(tmp_path / "new.png", np.zeros((4, 4, 3)))
        os.chmod(tmp_path / "new.png", 0o600)
        save_image(tmp_path / "new.png", np.ones((4, 4, 3)))
        save_image(tmp_path / "other.png", np.ones((4, 4, 3)))
    finally:
        os.umask(old_mask)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("new.png", "other.png")]
    assert modes == [0o600, 0o640]


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "a.png").symlink_to(tmp_path / "real" / "b.png")
    save_image(tmp_path / "a.png", np.zeros((4, 4, 3)))
    assert (tmp_path / "a.png").is_symlink()
    assert (tmp_path / "real" / "b.png").is_file()


def test_the_longest_names_are_written_and_longer_ones_refused_before_the_work(tmp_path):
    from nst_tutorial.runtime.files import check_output

    save_image(tmp_path / f"{'n' * 251}.png", np.zeros((4, 4, 3)))
    with pytest.raises(NSTError, match="File name too long"):
        check_output(tmp_path / f"{'n' * 252}.png")
