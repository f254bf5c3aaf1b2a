"""Many networks on a Dask cluster: a scheduler and two workers, processes of their own."""

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError, Future
from pathlib import Path

import numpy as np
import pytest
from many_networks import BASE

import fastnet
from fastnet.sweep import executors

distributed = pytest.importorskip("distributed", reason="Dask's clusters are distributed's")


class Cluster:
    """A scheduler on loopback, and workers, each a process with one thread."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []
        self.file = folder / "scheduler.json"
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0")

    def _start(self, what, *options):
        command = [sys.executable, "-P", "-m", f"distributed.cli.dask_{what}"]
        command += ["--scheduler-file", str(self.file), "--no-dashboard", *options]
        with open(self.folder / "log", "ab") as log:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def worker(self, *options):
        return self._start("worker", "--nthreads", "1", "--no-nanny", "--memory-limit", "0")

    def close(self):
        for process in self.processes:
            process.kill()  # a worker whose scheduler ends may wait for ever to end in order
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


@pytest.fixture
def client(cluster):
    """A client of two workers, new ones in the place of those that a test has killed."""
    alive = sum(process.poll() is None for process in cluster.processes[1:])
    for _ in range(2 - alive):
        cluster.worker()
    with distributed.Client(scheduler_file=str(cluster.file)) as client:
        client.wait_for_workers(2)
        yield client


@pytest.fixture(scope="module")
def data(mnist):
    return mnist[0][:500], mnist[1][:200]


def same(fits, others):
    for fit, other in zip(fits, others, strict=True):
        assert fit.error is other.error is None
        assert fit.index == other.index
        assert fit.network == other.network
        assert fit.history == other.history
    return True


@pytest.mark.parametrize("form", ["the client", "its executor"])
def test_a_cluster_trains_the_same_bits_as_threads(client, data, varied_specs, form):
    executor = client if form == "the client" else client.get_executor()
    here = fastnet.fit_many(varied_specs, *data)
    assert same(fastnet.fit_many(varied_specs, *data, executor=executor), here)


def test_both_workers_train(client, data, callbacks, tmp_path):
    specs = [{**BASE, "seed": seed, "callbacks": (callbacks.Touch(tmp_path),)} for seed in range(6)]
    fits = fastnet.fit_many(specs, *data, executor=client)
    assert [fit.error for fit in fits] == [None] * 6
    processes = {str(process) for process in client.run(os.getpid).values()}
    assert {path.name for path in tmp_path.iterdir()} == processes
    assert len(processes) == 2


def test_a_cluster_yields_results_as_they_finish(client, data, callbacks, tmp_path):
    seen = tmp_path / "the second is here"
    waits = {**BASE, "callbacks": [callbacks.HoldUntil(seen)]}
    came = []
    for fit in fastnet.fit_as_completed([waits, BASE], *data, executor=client):
        came.append(fit.index)
        seen.touch()
    assert came == [1, 0]


def test_the_data_set_is_sent_to_each_worker_once(client, data, monkeypatch):
    pickled = []
    reduce = fastnet.Dataset.__getstate__
    monkeypatch.setattr(
        fastnet.Dataset, "__getstate__", lambda self: pickled.append(1) or reduce(self)
    )
    fastnet.fit_many([{**BASE, "seed": seed} for seed in range(5)], *data, executor=client)
    assert len(pickled) == 2  # training and evaluation data, whatever the number of networks


def test_a_data_set_that_is_a_file_travels_as_its_path(client, data, tmp_path):
    np.save(tmp_path / "X.npy", data[0].X)
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    training = fastnet.Dataset(X, data[0].y, 1 / 256)
    assert len(pickle.dumps(training)) < 1500 + training.y.nbytes
    assert same(
        fastnet.fit_many([BASE], training, executor=client), fastnet.fit_many([BASE], data[0])
    )
    # and is looked for where the worker is
    (tmp_path / "X.npy").rename(tmp_path / "elsewhere.npy")
    np.save(tmp_path / "X.npy", data[0].X[:100])
    with pytest.raises(Exception, match="expected the file as the data set was made from it"):
        fastnet.fit_many([BASE], training, executor=client)


def test_what_a_worker_raises_is_the_error_of_its_network_alone(client, data, callbacks):
    specs = [BASE, {**BASE, "callbacks": (callbacks.complain,)}]
    fits = fastnet.fit_many(specs, *data, executor=client, verbose=False)
    assert fits[0].error is None
    assert isinstance(fits[1].error, LookupError)


def test_equal_specs_without_a_seed_are_different_networks(client, data):
    spec = {**BASE, "seed": None}
    first, second = fastnet.fit_many([spec, spec], *data, executor=client)
    assert first.network != second.network


def killed_while_training(client, data, callbacks, folder, how_many):
    """(results of ten networks, workers that are killed in their midst, results of threads)."""
    goes_on = folder / "goes on"
    touch, hold = callbacks.Touch(folder), callbacks.HoldUntil(goes_on)
    specs = [{**BASE, "seed": seed} for seed in range(10)]
    held = [{**spec, "callbacks": [touch, hold]} for spec in specs]
    results = fastnet.fit_as_completed([BASE, *held], *data, executor=client)
    fits = [next(results)]
    while len(list(folder.iterdir())) < 2:  # both workers are in the midst of a training
        time.sleep(0.01)
    killed = [int(path.name) for path in folder.iterdir()][:how_many]
    for process in killed:
        os.kill(process, signal.SIGKILL)
    goes_on.touch()
    return fits, results, killed, [BASE, *specs]


def test_a_worker_that_is_killed_is_survived(client, data, callbacks, tmp_path):
    fits, results, killed, specs = killed_while_training(client, data, callbacks, tmp_path, 1)
    fits = sorted([*fits, *results], key=lambda fit: fit.index)
    assert same(fits, fastnet.fit_many(specs, *data))
    left = {str(process) for process in client.run(os.getpid).values()}
    assert {path.name for path in tmp_path.iterdir()} == left | {str(killed[0]), "goes on"}


def test_new_workers_are_sent_the_data_set_where_all_that_had_it_are_killed(
    cluster, client, data, callbacks, tmp_path
):
    fits, results, _, specs = killed_while_training(client, data, callbacks, tmp_path, 2)
    cluster.worker()
    fits = sorted([*fits, *results], key=lambda fit: fit.index)
    assert same(fits, fastnet.fit_many(specs, *data))


@pytest.fixture
def small_cluster(tmp_path):
    """(a cluster without workers, its client, which waits two seconds for them)."""
    cluster = Cluster(tmp_path)
    try:
        with distributed.Client(scheduler_file=str(cluster.file)) as client:
            client._timeout = 2  # of scatter alone
            yield cluster, client
    finally:
        cluster.close()


def test_what_has_finished_is_not_lost_where_no_worker_is_left(
    small_cluster, data, callbacks, tmp_path
):
    cluster, client = small_cluster
    worker = cluster.worker()
    client.wait_for_workers(1)
    hold = callbacks.HoldUntil(tmp_path / "never")
    specs = [BASE, *[{**BASE, "callbacks": [hold]}] * 2]
    results = fastnet.fit_as_completed(specs, *data, executor=client, verbose=False)
    first = next(results)
    worker.kill()
    worker.wait()
    fits = [first, *results]
    assert sorted(fit.index for fit in fits) == [0, 1, 2]
    assert [fit.index for fit in fits if fit.error is None] == [0]
    assert {type(fit.error) for fit in fits if fit.index} == {TimeoutError}


def test_a_cluster_without_workers_is_named_as_the_executor(small_cluster, data):
    _, client = small_cluster
    with pytest.raises(TimeoutError, match=r"^executor: expected a Client with a worker"):
        fastnet.fit_many([BASE], *data, executor=client)


def test_a_cluster_that_starts_workers_as_they_are_needed_is_used(small_cluster, data):
    cluster, client = small_cluster
    client._timeout = 30
    over = threading.Event()

    def adapt():
        while not over.wait(0.05):
            if client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.adaptive_target()):
                cluster.worker()
                return

    thread = threading.Thread(target=adapt)
    thread.start()
    try:
        fits = fastnet.fit_many([BASE], *data, executor=client)
    finally:
        over.set()
        thread.join()
    assert fits[0].error is None


def test_a_training_that_is_lost_with_its_worker_each_time_says_so(client, data, monkeypatch):
    def cancelled(*_, **__):
        future = Future()
        future.cancel()
        future.set_running_or_notify_cancel()
        return future

    monkeypatch.setattr(executors.Runner, "submit", cancelled)
    fits = fastnet.fit_many([BASE], *data, executor=client, verbose=False)
    assert isinstance(fits[0].error, CancelledError)
    assert str(fits[0].error) == "its workers were lost 3 times"


def stop_after(seconds, process):
    """A guard: a test whose workers hang fails, and does not wait for ever."""
    guard = threading.Timer(seconds, process.kill)
    guard.daemon = True
    guard.start()
    return guard


def test_a_loop_that_is_left_stops_the_workers(cluster, client, data, callbacks, tmp_path):
    endless = {**BASE, "epochs": 10**6, "callbacks": [callbacks.Touch(tmp_path)]}
    guards = [stop_after(120, process) for process in cluster.processes[1:]]
    # whichever begins first: one worker trains without end, the other comes to what ends
    results = fastnet.fit_as_completed([endless, BASE], *data, executor=client)
    assert next(results).index == 1
    results.close()
    # a worker that trained on would not come to this
    fits = fastnet.fit_many([BASE] * 3, *data, executor=client)
    for guard in guards:
        guard.cancel()
    assert [fit.error for fit in fits] == [None] * 3
    assert all(process.poll() is None for process in cluster.processes[1:][-2:])


INTERRUPTED = """
import sys
import distributed, fastnet
from worker_callbacks import Touch

if __name__ == "__main__":
    file, folder = sys.argv[1:]
    data = fastnet.load_mnist()[0][:100]
    short = dict(sizes=[784, 10], epochs=1, mini_batch_size=10, eta=0.5, seed=1)
    endless = {**short, "epochs": 10**6, "callbacks": [Touch(folder)]}
    with distributed.Client(scheduler_file=file) as client:
        try:
            for fit in fastnet.fit_as_completed([short, endless, endless], data, executor=client):
                print(fit.index, flush=True)
        except KeyboardInterrupt:
            print("interrupted")
"""


def test_ctrl_c_stops_the_workers(cluster, client, data, tmp_path):
    script, touched = tmp_path / "script.py", tmp_path / "touched"
    script.write_text(INTERRUPTED)
    touched.mkdir()
    with subprocess.Popen(
        [sys.executable, "-P", str(script), str(cluster.file), str(touched)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout.readline() == "0\n"
        while len(list(touched.iterdir())) < 2:  # until both workers train for ever
            assert running.poll() is None, running.stderr.read()
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        printed, errors = running.communicate()
    assert (running.returncode, printed) == (0, "interrupted\n"), errors
    # workers that trained on would not come to this
    fits = fastnet.fit_many([BASE] * 3, *data, executor=client)
    assert [fit.error for fit in fits] == [None] * 3


def test_an_asynchronous_client_is_refused(cluster, client, data):
    async def ask():
        async with distributed.Client(str(client.scheduler.address), asynchronous=True) as one:
            fastnet.fit_many([BASE], *data, executor=one)

    with pytest.raises(TypeError, match=r"^executor: expected a Client that is not asynchronous"):
        asyncio.run(ask())


@pytest.mark.thorough
def test_a_grid_search_runs_on_the_cluster_through_joblib(client, mnist):
    joblib = pytest.importorskip("joblib", reason="joblib knows the cluster as a backend")
    reason = "GridSearchCV is scikit-learn's"
    model_selection = pytest.importorskip("sklearn.model_selection", reason=reason)
    from fastnet.sklearn import MLPClassifier

    search = model_selection.GridSearchCV(
        MLPClassifier(random_state=1, learning_rate_init=0.02, tol=0.1),
        {"hidden_layer_sizes": [(8,), (16,)]},
        cv=2,
    )
    X, y = mnist[0].X[:300] / 256, mnist[0].y[:300]
    with joblib.parallel_config(backend="dask"):
        search.fit(X, y)
    assert search.best_score_ > 0.3
