"""The temporary files of networks that are being saved: interrupted, shared, left behind."""

import signal
import subprocess
import sys
import threading

import pytest

import fastnet
from fastnet import Network
from fastnet.core import files


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.json"


HALFWAY = """
import sys
from fastnet.core import files

def chunks():
    yield b"half of it"
    print("begun", flush=True)
    sys.stdin.read(1)
    yield b" and the rest"

files.write(sys.argv[1], chunks())
"""


@pytest.fixture
def halfway(tmp_path):
    """Starts processes that are in the midst of writing a file."""
    running = []

    def start(path):
        command = [sys.executable, "-P", "-c", HALFWAY, str(path)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(command, **pipes)
        running.append(process)
        assert process.stdout.readline() == b"begun\n"
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def parts(folder):
    return sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".part"))


@pytest.mark.skipif(files.fcntl is None, reason="the system cannot lock files")
def test_what_a_killed_save_leaves_behind_is_removed_by_the_next_of_the_same_file(
    path, tmp_path, halfway
):
    for _ in range(2):
        halfway(path).send_signal(signal.SIGKILL)
    other = halfway(tmp_path / "other.json")
    others = {f"net.json.{'0' * 15}.part", f"net.json.{'g' * 16}.part", f"net_json.{'0' * 16}.part",
              f"net.json.{'A' * 16}.part", f"a.net.json.{'0' * 16}.part"}  # fmt: skip
    for name in others:
        (tmp_path / name).touch()
    (tmp_path / f"net.json.{'1' * 16}.part").mkdir()
    (tmp_path / f"net.json.{'2' * 16}.part").symlink_to(path)
    (tmp_path / f"net.json.{'3' * 16}.part").touch()
    for process in tmp_path.glob("net.json.*"):
        assert process.exists() or process.is_symlink()
    net = Network([2, 1], seed=1)
    link = tmp_path / "link.json"
    link.symlink_to(path)
    net.save(link)
    assert fastnet.load(path) == net
    left = set(parts(tmp_path)) - others
    (of_other,) = {name for name in left if name.startswith("other.json.")}
    assert left == {of_other, f"net.json.{'1' * 16}.part", f"net.json.{'2' * 16}.part"}
    other.communicate(b"\n")
    assert (tmp_path / "other.json").read_bytes() == b"half of it and the rest"
    assert of_other not in parts(tmp_path)


@pytest.mark.skipif(files.fcntl is None, reason="the system cannot lock files")
def test_two_processes_that_save_the_same_file_leave_each_others_temporary_files(path, halfway):
    first, second = halfway(path), halfway(path)
    assert len(parts(path.parent)) == 2
    files.check_writable(path)
    Network([2, 1], seed=1).save(path)
    assert len(parts(path.parent)) == 2
    for process in (first, second):
        process.communicate(b"\n")
        assert process.returncode == 0
        assert path.read_bytes() == b"half of it and the rest"
    assert parts(path.parent) == []


def test_many_threads_save_the_same_file_at_the_same_time(path):
    nets = [Network([3, 2], seed=seed) for seed in range(4)]
    errors = []

    def save(net):
        try:
            for _ in range(50):
                net.save(path)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=save, args=(net,)) for net in nets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert fastnet.load(path) in nets
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(files.fcntl is None, reason="the system cannot lock files")
@pytest.mark.parametrize("how", ["removed", "locked"])
def test_a_temporary_file_that_another_takes_before_it_is_locked_is_begun_anew(
    path, monkeypatch, how
):
    flock, taken = files.fcntl.flock, []

    def late(file, operation):
        if not taken:
            taken.extend(path.parent.glob("*.part"))
            if how == "locked":
                raise BlockingIOError(11, "Resource temporarily unavailable")
            taken[0].unlink()
        flock(file, operation)

    monkeypatch.setattr(files.fcntl, "flock", late)
    net = Network([2, 1], seed=1)
    net.save(path)
    assert len(taken) == 1
    assert fastnet.load(path) == net
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("lacking", ["the module", "the file system's locks"])
def test_where_files_cannot_be_locked_saving_goes_on_and_nothing_is_removed(
    path, monkeypatch, lacking
):
    def none(*arguments):
        raise OSError(37, "No locks available")

    if lacking == "the module":
        monkeypatch.setattr(files, "fcntl", None)
    elif files.fcntl is not None:
        monkeypatch.setattr(files.fcntl, "flock", none)
    abandoned = path.with_name(f"net.json.{'0' * 16}.part")
    abandoned.touch()
    net = Network([2, 1], seed=1)
    net.save(path)
    assert fastnet.load(path) == net
    assert sorted(path.parent.iterdir()) == [path, abandoned]
