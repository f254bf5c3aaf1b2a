"""Many networks at once, in processes of this machine."""

import pickle
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from many_networks import BASE, alone

import fastnet


@pytest.fixture
def data(mnist):
    """Training and evaluation data whose compressed forms are not made yet."""
    return mnist[0][:500], mnist[1][:200]


class Weighing(ProcessPoolExecutor):
    """A pool of processes that notes how many bytes each task has."""

    def __init__(self, *keywords, **options):
        super().__init__(*keywords, **options)
        self.bytes = []

    def submit(self, *task, **options):
        self.bytes.append(len(pickle.dumps((task, options))))
        return super().submit(*task, **options)


@pytest.fixture(scope="module")
def pool(spawning):
    with Weighing(2, mp_context=spawning) as pool:
        yield pool


def test_processes_train_the_same_bits_and_are_sent_no_data(
    data, varied_specs, pool, tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pool.bytes.clear()
    for fit, other in zip(
        fastnet.fit_many(varied_specs, *data, executor=pool),
        fastnet.fit_many(varied_specs, *data),
        strict=True,
    ):
        assert fit.error is other.error is None
        assert fit.network == other.network
        assert fit.history == other.history
        assert fit.index == other.index
    assert len(pool.bytes) == len(varied_specs)
    assert max(pool.bytes) < 3000  # the digits alone are 392,000
    assert list(tmp_path.iterdir()) == []


def test_processes_keep_sparse_inputs_sparse_and_targets_as_they_are(data, pool):
    sparse = pytest.importorskip("scipy.sparse", reason="SciPy makes the sparse matrix")
    X = sparse.csr_array(data[0].X * np.float32(1 / 256))
    training = fastnet.Dataset(X, np.eye(10, dtype=np.float32)[data[0].y])
    here, there = (fastnet.fit_many([BASE], training, executor=e)[0] for e in (None, pool))
    assert here.error is there.error is None
    assert here.network == there.network


def test_a_data_set_that_is_a_file_is_mapped_by_each_process(data, pool, tmp_path):
    np.save(tmp_path / "X.npy", data[0].X)
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    training = fastnet.Dataset(X, data[0].y, 1 / 256)
    here, there = (fastnet.fit_many([BASE], training, executor=e)[0] for e in (None, pool))
    assert here.error is there.error is None
    assert here.network == there.network == alone(BASE, *data)[0]
    # and is looked for where the process is
    (tmp_path / "X.npy").rename(tmp_path / "elsewhere.npy")
    np.save(tmp_path / "X.npy", data[0].X[:100])
    (fit,) = fastnet.fit_many([BASE], training, executor=pool, verbose=False)
    assert "expected the file as the data set was made from it" in str(fit.error)


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_an_executor_that_was_shut_down_is_named(kind, data):
    with kind(1) as executor:
        pass
    with pytest.raises(
        RuntimeError, match="executor: expected one that accepts tasks, got: cannot"
    ):
        fastnet.fit_many([BASE], *data, executor=executor)


def test_what_a_process_raises_is_the_error_of_its_network_alone(data, pool, callbacks):
    specs = [{**BASE, "callbacks": [callbacks.complain]}, BASE]
    fits = fastnet.fit_many(specs, *data, executor=pool, verbose=False)
    assert isinstance(fits[0].error, LookupError)
    assert fits[1].error is None


def test_a_pool_that_breaks_says_which_networks_are_lost_and_returns_the_rest(
    data, spawning, callbacks, capsys
):
    specs = [BASE, BASE, {**BASE, "callbacks": [callbacks.die]}, BASE]
    with ProcessPoolExecutor(1, mp_context=spawning) as pool:
        fits = fastnet.fit_many(specs, *data, executor=pool)
        with pytest.raises(
            BrokenExecutor,
            match=r"executor: expected one that accepts tasks, got: .* pool is not usable",
        ):
            fastnet.fit_many(specs, *data, executor=pool)
    network = alone(BASE, *data)[0]
    assert fits[0].network == fits[1].network == network
    assert [type(fit.error).__name__ for fit in fits[2:]] == ["BrokenProcessPool"] * 2
    assert [fit.network for fit in fits[2:]] == [None, None]
    said = capsys.readouterr().err
    assert said.startswith("fit_many: specs[2], specs[3]: BrokenProcessPool: ")
    assert said.count("\n") == 1
