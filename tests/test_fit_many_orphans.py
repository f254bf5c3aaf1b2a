"""Many networks in processes whose parent is killed: neither data nor workers stay behind."""

import contextlib
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import pytest
from many_networks import BASE

import fastnet
from fastnet.core import files
from fastnet.sweep import orphans

pytestmark = pytest.mark.skipif(files.fcntl is None, reason="files cannot be locked here")

METHODS = multiprocessing.get_all_start_methods()

SCRIPT = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
import fastnet

remove_folder = os.rmdir

def rmdir(*arguments, **options):
    time.sleep(0.5)  # time enough for a worker to end before it has removed the folder
    remove_folder(*arguments, **options)

os.rmdir = rmdir

def begun(network, epoch, history):
    if epoch == 1:
        os.write(1, b"begun\\n")

if __name__ == "__main__":
    method, n_specs, then, *tasks = sys.argv[1:]
    training = fastnet.load_mnist()[0][:100]
    epochs = 10**6 if then == "train" else 2
    spec = dict(sizes=[784, 10], epochs=epochs, mini_batch_size=10, eta=0.5, callbacks=[begun])
    options = {"max_tasks_per_child": 1} if tasks else {}
    pool = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method), **options)
    specs = [spec] * int(n_specs)
    if tasks:
        specs[0] = {**spec, "epochs": 0, "callbacks": ()}
    if then == "train":
        submit = pool.submit
        def submitted(*task, **options):
            future = submit(*task, **options)
            os.write(1, b"pool %s\\n" % " ".join(map(str, pool._processes)).encode())
            return future
        pool.submit = submitted
    for fit in fastnet.fit_as_completed(specs, training, executor=pool):
        if tasks:
            time.sleep(1)  # until the worker is replaced
            os.write(1, b"pool %s\\n" % " ".join(map(str, pool._processes)).encode())
            os.write(1, b"replaced\\n")
    os.write(1, b"pool %s\\n" % " ".join(map(str, pool._processes)).encode())
    os.write(1, b"idle\\n")
    time.sleep(2)
    sorted(pool.map(abs, range(20)))
    os.write(1, b"still there\\n")
    pool.shutdown()
"""


def is_running(pid):
    """Whether a process is there and no zombie that nobody waits for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def started(tmp_path, *arguments):
    (tmp_path / "script.py").write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, "-P", str(tmp_path / "script.py"), *arguments],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def folders(tmp_path):
    return [path for path in tmp_path.iterdir() if path.name.startswith("fastnet-")]


def all_recorded(tmp_path, pids):
    """Whether the sweep has written down all its workers, and those that train watch."""
    names = [path.name for folder in folders(tmp_path) for path in folder.iterdir()]
    polling = any(name.startswith("polling-") for name in names)
    return polling and all(any(name.startswith(f"worker-{pid}-") for name in names) for pid in pids)


def killed(tmp_path, running, lines):
    """The workers of a process that is killed when it has printed these lines."""
    pids, lines = set(), {f"{line}\n" for line in lines}
    while lines:
        line = running.stdout.readline()
        assert line, "the script ended"
        lines.discard(line)
        if line.startswith("pool"):
            now = set(map(int, line.split()[1:]))
            pids |= now
    ends = time.monotonic() + 60
    while not all_recorded(tmp_path, now) and time.monotonic() < ends:
        time.sleep(0.1)
    running.send_signal(signal.SIGKILL)
    running.wait()
    return pids


def check_nothing_stays(tmp_path, pids):
    ends = time.monotonic() + 60
    while (folders(tmp_path) or any(map(is_running, pids))) and time.monotonic() < ends:
        time.sleep(0.1)
    assert folders(tmp_path) == []
    assert [pid for pid in pids if is_running(pid)] == []


@pytest.mark.parametrize("n_specs", [1, 3])
@pytest.mark.parametrize("method", METHODS)
def test_workers_and_data_are_gone_soon_after_their_parent_was_killed(tmp_path, method, n_specs):
    with started(tmp_path, method, str(n_specs), "train") as running:
        try:
            pids = killed(tmp_path, running, ["begun"])
            if method == "fork" or n_specs > 1:
                assert len(pids) == 2
            check_nothing_stays(tmp_path, pids)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"fork"}))
def test_a_worker_that_has_replaced_another_and_had_no_task_yet_is_ended_too(tmp_path, method):
    with started(tmp_path, method, "2", "train", "replace") as running:
        try:
            pids = killed(tmp_path, running, ["begun", "replaced"])
            assert len(pids) >= 2
            check_nothing_stays(tmp_path, pids)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_that_lives_on_after_a_sweep_is_left_alone(tmp_path, method):
    with started(tmp_path, method, "3", "end") as running:
        lines = running.stdout.readlines()
        assert lines[-2:] == ["idle\n", "still there\n"]
        assert running.wait() == 0
    assert folders(tmp_path) == []


def test_the_next_sweep_removes_folders_whose_processes_were_all_killed(tmp_path, monkeypatch):
    with started(tmp_path, "spawn", "2", "train") as running:
        while running.stdout.readline() != "begun\n":
            pass
        os.killpg(running.pid, signal.SIGKILL)
    (left,) = folders(tmp_path)
    (tmp_path / "fastnet-other").mkdir()  # of a program that is no sweep
    (tmp_path / "fastnet-file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    training = fastnet.load_mnist()[0][:50]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        sweep = fastnet.fit_as_completed([BASE, BASE], training, executor=pool)
        next(sweep)
        own = {path.name for path in folders(tmp_path)} - {"fastnet-other", "fastnet-file"}
        assert len(own) == 1
        assert not left.exists()
        other = fastnet.fit_many([BASE], training, executor=pool)  # leaves that of the first
        assert other[0].error is None
        assert {path.name for path in folders(tmp_path)} >= own
        assert [fit.error for fit in sweep] == [None]
    assert {path.name for path in folders(tmp_path)} == {"fastnet-other", "fastnet-file"}


def test_only_workers_that_do_not_watch_and_are_still_the_same_are_ended(monkeypatch):
    began = orphans._start_time(os.getpid())
    killed = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append(pid))
    own = os.getpid()
    files = ["owner", "data", f"worker-{own}-{began}", f"worker-{os.getppid()}-1"]
    orphans._kill_idle([*files, f"polling-{own}"])
    assert killed == []
    if began:
        orphans._kill_idle(files)
        assert killed == [own]


def test_a_process_that_is_no_worker_of_the_sweep_is_not_polling(tmp_path):
    for owner in (os.getpid(), os.getppid()):
        orphans.poll_parent(str(tmp_path), owner)
    assert orphans._folders == set()
    assert list(tmp_path.iterdir()) == []


class Other:
    """An executor whose attribute of that name is something else."""

    def __init__(self, processes):
        self._processes = processes


@pytest.mark.parametrize("processes", [None, 3, [1, 2], {0: "a", 1: None}, {os.getpid(): object()}])
def test_what_is_no_table_of_processes_is_passed_over(tmp_path, processes):
    orphans.Workers(str(tmp_path), Other(processes)).note()
    orphans.Workers(str(tmp_path), object()).note()
    assert list(tmp_path.iterdir()) == []


def test_workers_that_a_pool_has_replaced_are_taken_out(tmp_path):
    executor = Other({})
    workers = orphans.Workers(str(tmp_path), executor)
    for pids in ([11, 12], [12, 13], [13], []):
        executor._processes = {pid: type("Process", (), {"pid": pid}) for pid in pids}
        workers.note()
        found = sorted(int(path.name.split("-")[1]) for path in tmp_path.iterdir())
        assert found == pids
    workers.close()
    executor._processes = {14: type("Process", (), {"pid": 14})}
    workers.note()
    assert list(tmp_path.iterdir()) == []
