"""Checkpoints of ``Network.SGD``: a training that ends early and is resumed has the same bits, and
what is refused."""

import errno
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import checkpoint_kills
import numpy as np
import pytest

import fastnet
from fastnet.core import files
from fastnet.io import npz
from fastnet.io.checkpoint_files import CheckpointFile
from fastnet.network import stream_of

CASES = checkpoint_kills.cases()


class Ended(BaseException):
    """The end of the process, in place of SIGKILL."""


@pytest.fixture
def end_after(monkeypatch):
    """A function that lets trainings end after this number of checkpoints; 0: never."""
    original = CheckpointFile.write

    def set_end(n):
        left = [n]

        def write(*arguments):
            original(*arguments)
            left[0] -= 1
            if left[0] == 0:
                raise Ended

        monkeypatch.setattr(CheckpointFile, "write", write)

    return set_end


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files.os, "fsync", lambda number: None)  # it takes most of the time


def data(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((n, 4)), rng.integers(0, 3, n)


def train(epochs=6, examples=None, seed=1, sizes=(4, 5, 3), **options):
    """(network, history) after a training; with the checkpoint run.npz unless there is another."""
    arguments = {"mini_batch_size": 10, "eta": 0.5, "verbose": False, "checkpoint": "run.npz"}
    net = fastnet.Network(sizes, seed=seed)
    arguments |= options
    history = net.SGD(data() if examples is None else examples, epochs, **arguments)
    return net, history


def without(epochs=6, **options):
    return train(epochs, checkpoint=None, **options)


def drawn(net):
    """The next number of the network's generator."""
    return stream_of(net).raw(1)[0]


def assert_same(one, other):
    assert one[0] == other[0]
    assert one[1] == other[1]
    assert drawn(one[0]) == drawn(other[0])


# ---- the same bits


@pytest.mark.parametrize("name", CASES)
def test_a_training_that_ends_early_and_is_resumed_ends_with_the_same_bits(name, end_after):
    expected = CASES[name]("whole.npz")
    end_after(2)
    for _ in range(2):
        with pytest.raises(Ended):
            CASES[name]("ended.npz")
        end_after(3)
    end_after(0)
    assert CASES[name]("ended.npz") == expected


def test_every_optimizer_and_schedule_is_among_the_cases():
    for kind in fastnet.optimizers.CLASSES:
        assert {f"optimizer {each.name}" for each in kind.usual()} <= set(CASES)
    schedules = {"StepDecay", "ExponentialDecay", "CosineDecay", "HalveOnPlateau"}
    assert {f"schedule {name}" for name in schedules} <= set(CASES)


def test_a_checkpoint_changes_no_bit_of_a_training():
    assert_same(train(evaluation_data=data(20, 2)), without(evaluation_data=data(20, 2)))


@pytest.mark.skipif(sys.platform != "linux", reason="needs fork after the import of BLAS")
@pytest.mark.parametrize("runs", [6, pytest.param(60, marks=pytest.mark.thorough)])
def test_trainings_killed_inside_a_write_and_at_random_end_with_the_same_bits(runs):
    program = Path(__file__).with_name("checkpoint_kills.py")
    command = [sys.executable, "-P", program, "--runs", str(runs), "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.startswith(f"{runs} of {runs} killed trainings ended with the same bits; ")
    kills, inside = [int(word) for word in last.split() if word.isdigit()][2:]
    assert kills >= runs
    assert inside >= runs / 6


OTHER_BITS = """
import random, sys
sys.path.insert(0, sys.argv[1])
import checkpoint_kills

def function(path):
    digest = checkpoint_kills.sgd()(path)
    with open("started", "a+") as file:
        file.write("+")
        file.flush()
        file.seek(0)
        return f"{digest[:-1]}{len(file.read())}"

run = checkpoint_kills.compare("", function, ".", ["bytes"], random.Random(1))
print(len(run.kills), run.same)
"""


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="needs fork after the import of BLAS")
def test_the_test_of_killed_trainings_notices_other_bits():
    """A case whose result depends on how often it was started."""
    command = [sys.executable, "-P", "-c", OTHER_BITS, Path(__file__).parent]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "1 False\n", done.stderr


# ---- resuming


def test_a_network_of_another_seed_continues_with_the_parameters_and_numbers_of_the_file():
    train(3)
    assert_same(train(seed=7, resume=True), without())


def test_without_a_file_a_training_with_resume_begins():
    assert_same(train(resume=True), without())


def test_a_complete_training_returns_its_history_at_once():
    rates = []

    def rate(epoch):
        rates.append(epoch)
        return 0.5

    options = {"schedule": rate, "callbacks": [lambda *_: calls.append(1)]}
    options |= {"monitor_training_cost": True}
    calls = []
    whole = train(**options)
    calls.clear(), rates.clear()
    again = train(seed=9, resume=True, **options)
    assert (calls, rates) == ([], [])
    assert_same(whole, again)


def test_callbacks_and_schedules_see_the_earlier_epochs():
    seen = []

    def look(net, epoch, history):
        seen.append((epoch, len(history.training_cost)))

    options = {"monitor_training_cost": True, "callbacks": [look]}
    train(2, **options)
    train(4, resume=True, **options)
    assert seen == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_a_stop_by_a_callback_or_by_early_stopping_stays():
    def stop(net, epoch, history):
        return epoch == 2

    first = train(5, callbacks=[stop])
    assert_same(train(9, callbacks=[stop], resume=True), first)
    stopping = {"early_stopping_n": 1, "monitor_training_accuracy": True}
    stopping |= {"evaluation_data": data(20, 3), "checkpoint": "early.npz"}
    early = train(60, **stopping)
    assert len(early[1].evaluation_accuracy) < 60
    assert_same(train(90, resume=True, **stopping), early)


def test_the_best_parameters_are_restored_after_a_resumption_too():
    options = {"early_stopping": fastnet.EarlyStopping("training_accuracy", 30), "eta": 5.0}
    whole = without(12, **options)
    train(12, **options)
    assert fastnet.Network([4, 5, 3], seed=1) != whole[0]
    assert_same(train(12, resume=True, **options), whole)
    assert_same(train(20, resume=True, **options), without(20, **options))


def test_epochs_may_grow_and_shrink_down_to_those_that_are_complete():
    train(3)
    assert_same(train(5, resume=True), without(5))
    assert_same(train(9, resume=True), without(9))
    with pytest.raises(ValueError, match=r"^epochs: expected at least the 9 complete epochs of "
                       r"run\.npz, got 8$"):  # fmt: skip
        train(8, resume=True)


def test_other_epochs_are_refused_if_the_schedule_depends_on_them():
    train(3, schedule=fastnet.CosineDecay())
    with pytest.raises(ValueError, match=r"schedule: the checkpoint has .* over 3 epochs, this "
                       r"call .* over 5 epochs$"):  # fmt: skip
        train(5, schedule=fastnet.CosineDecay(), resume=True)
    train(3, schedule=fastnet.CosineDecay(4))
    assert_same(train(5, schedule=fastnet.CosineDecay(4), resume=True),
                without(5, schedule=fastnet.CosineDecay(4)))  # fmt: skip


def test_threads_and_the_number_of_epochs_between_checkpoints_may_differ():
    train(3)
    net = fastnet.Network([4, 5, 3], seed=1, n_threads=2)
    history = net.SGD(data(), 6, 10, 0.5, verbose=2, checkpoint=Path("run.npz"),
                      checkpoint_every=4, resume=True)  # fmt: skip
    assert_same((net, history), without())


def test_a_checkpoint_is_written_after_every_so_many_epochs_and_after_the_last():
    written = []

    def look(net, epoch, history):
        found = npz.read("run.npz")[1]["epochs"] if Path("run.npz").exists() else 0
        written.append(found)

    train(7, checkpoint_every=3, callbacks=[look])
    assert written == [0, 0, 0, 3, 3, 3, 6]
    assert npz.read("run.npz")[1]["epochs"] == 7


def test_several_epochs_are_one_call_up_to_the_next_checkpoint(monkeypatch):
    lengths = []
    original = fastnet.training.loop.train_passes

    def counted(model, data, training, passes, weights=None):
        lengths.append(len(passes.order))
        original(model, data, training, passes, weights)

    monkeypatch.setattr(fastnet.training.loop, "train_passes", counted)
    train(10, checkpoint_every=4)
    assert lengths == [4, 4, 2]


def test_a_shared_generator_continues_where_it_was():
    def run(epochs, rng, **options):
        net = fastnet.Network([4, 5, 3], seed=rng)
        net.SGD(data(), epochs, 10, 0.5, verbose=False, **options)
        return rng.integers(1 << 60)

    expected = run(6, np.random.default_rng(5))
    run(3, np.random.default_rng(5), checkpoint="run.npz")
    assert run(6, np.random.default_rng(6), checkpoint="run.npz", resume=True) == expected


def test_the_scale_of_bytes_and_the_names_of_classes_are_learned_from_a_checkpoint_too():
    rng = np.random.default_rng(1)
    examples = fastnet.Dataset(
        rng.integers(0, 255, (40, 4), np.uint8), np.array(["b", "a"] * 20), 1 / 256
    )
    whole = train(2, examples, sizes=(4, 2))
    again = train(2, examples, sizes=(4, 2), resume=True, seed=4)
    assert again[0].input_scale == 1 / 256
    assert again[0].classes == ("a", "b")
    assert_same(again, whole)


def test_the_program_may_change_its_folder():
    os.mkdir("other")
    train(4, callbacks=[lambda *_: os.chdir(Path(__file__).parent)])
    assert not Path("run.npz").exists()  # here is the folder of the tests


def test_a_line_and_a_log_record_say_where_a_training_goes_on(capsys, caplog):
    train(2)
    caplog.set_level("INFO", "fastnet")
    train(3, resume=True, verbose=1)
    assert capsys.readouterr().out == "Resumed from run.npz after epoch 2\nEpoch 3 / 3\n"
    assert "Resumed from run.npz after epoch 2" in caplog.messages


# ---- other trainings


def error_of(function, *arguments, **options):
    """The message of its ValueError; None without one."""
    try:
        function(*arguments, **options)
    except ValueError as error:
        return str(error)
    return None


def refusal(**options):
    return error_of(train, resume=True, **options)


def test_all_settings_that_differ_are_listed():
    before = Path("run.npz")
    train(2)
    written = before.read_bytes()
    assert refusal(eta=0.1, lmbda=2.0, optimizer=fastnet.Momentum(0.5)) == (
        "checkpoint: expected run.npz to be a checkpoint of the same training, got one that "
        "differs: eta: the checkpoint has 0.5, this call 0.1; lmbda: the checkpoint has 0.0, this "
        "call 2.0; optimizer: the checkpoint has none, this call Momentum(mu=0.5, nesterov=False)"
    )
    assert before.read_bytes() == written


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sizes", {"sizes": (4, 6, 3)}),
        ("mini_batch_size", {"mini_batch_size": 12}),
        ("l1", {"l1": 0.5}),
        ("dropout", {"dropout": 0.5}),
        ("shift", {"shift": 1}),
        ("schedule", {"schedule": fastnet.StepDecay()}),
        ("early_stopping", {"early_stopping_n": 2, "evaluation_data": data(9)}),
        ("monitored figures", {"monitor_training_cost": True}),
        ("evaluation_data", {"evaluation_data": data(9)}),
        ("weights of the examples", {"class_weight": {0: 2.0}}),
        ("training_data", {"examples": data(61)}),
        ("training_data", {"examples": data(60, 1)}),
        ("training_data", {"examples": (data()[0], data(60, 1)[1])}),
        ("training_data", {"examples": fastnet.Dataset(*data(), scale=0.5)}),
    ],
)
def test_another_setting_is_refused(name, options):
    train(2)
    assert f" {name}: the checkpoint has " in refusal(**options)


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("dtype", {"dtype": "float64"}),
        ("hidden", {"hidden": "tanh"}),
        ("hidden", {"hidden": fastnet.LeakyReLU(0.5)}),
        ("cost", {"cost": "quadratic"}),
        ("output", {"cost": "log-likelihood"}),
        ("inputs", {"inputs": fastnet.Standardize.fit(data()[0])}),
        ("kind of generator", {"seed": np.random.SFC64(1)}),
    ],
)
def test_another_network_is_refused_and_unchanged(name, network):
    train(2)
    net = fastnet.Network([4, 5, 3], **{"seed": 1} | network)
    before = net.copy()
    with pytest.raises(ValueError, match=f" {name}: the checkpoint has "):
        net.SGD(data(), 6, 10, 0.5, verbose=False, checkpoint="run.npz", resume=True)
    assert net == before


@pytest.mark.parametrize("number", [np.float64(0.5), np.float32(0.5), np.array(0.5)])
def test_numbers_of_an_optimizer_may_be_those_of_numpy(number):
    train(2, optimizer=fastnet.Adam(number, 0.9))
    with_floats = {"optimizer": fastnet.Adam(0.5, 0.9)}
    assert_same(train(resume=True, **with_floats), without(**with_floats))
    with pytest.raises(ValueError, match=r"has Adam\(beta1=0.5, .*, this call Adam\(beta1=0.25, "):
        train(resume=True, optimizer=fastnet.Adam(np.float64(0.25), 0.9))


def test_functions_are_compared_by_name():
    def one(*_):
        return 0.5

    def other(*_):
        return 0.5

    train(2, schedule=one, callbacks=[one])
    text = refusal(schedule=other, callbacks=[one, other])
    assert "test_functions_are_compared_by_name.<locals>.one, this call " in text
    assert ".one'], this call [" in text
    assert_same(train(schedule=one, callbacks=[one], resume=True), without(schedule=one))


def test_an_own_cost_and_an_overridden_method_are_compared_by_name():
    class Other(checkpoint_kills.OwnCost):
        pass

    for kind, cost, refused in (
        (fastnet.Network, checkpoint_kills.OwnCost, False),
        (fastnet.Network, Other, True),
        (checkpoint_kills.OwnStep, checkpoint_kills.OwnCost, True),
    ):
        net = kind([4, 3], cost, seed=1)
        call = {"verbose": False, "checkpoint": "run.npz", "resume": True}
        if refused:
            with pytest.raises(ValueError, match=r"(cost|overridden methods): the checkpoint has"):
                net.SGD(data(), 2, 10, 0.5, **call)
        else:
            net.SGD(data(), 2, 10, 0.5, **call)


def test_rows_of_a_slice_and_compressed_rows_have_fingerprints_of_their_own_numbers():
    sparse = pytest.importorskip("scipy.sparse")
    X, y = data()
    whole = fastnet.Dataset(X, y)
    train(2, whole[::2])
    assert_same(train(examples=fastnet.Dataset(X[::2], y[::2]), resume=True),
                without(examples=whole[::2]))  # fmt: skip
    rows = fastnet.Dataset(sparse.csr_matrix(np.where(X < 0.5, 0, X)), y)
    train(2, rows[10:], checkpoint="sparse.npz")
    options = {"checkpoint": "sparse.npz", "resume": True}
    assert_same(train(examples=rows[10:], **options), without(examples=rows[10:]))
    with pytest.raises(ValueError, match="training_data: the checkpoint has 50 examples"):
        train(examples=rows[:50], **options)


# ---- files


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"checkpoint": "run.pt"}, "checkpoint: expected a name that ends in .npz, the only format "
         "of checkpoints, got 'run.pt'"),
        ({"checkpoint": "run"}, "checkpoint: expected a name that ends in .npz"),
        ({"checkpoint": 3}, "checkpoint: expected a str or a path, got 3"),
        ({"checkpoint": b"run.npz"}, "checkpoint: expected a str or a path, got b'run.npz'"),
        ({"checkpoint_every": 0}, "checkpoint_every: expected 1 or more, got 0"),
        ({"checkpoint_every": 1.5}, "checkpoint_every: expected an integer, got 1.5"),
        ({"resume": "yes"}, "resume: expected True or False, got 'yes'"),
        ({"checkpoint": None, "resume": True}, "resume: expected False without a checkpoint"),
    ],
)  # fmt: skip
def test_invalid_arguments_are_refused(arguments, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        train(**arguments)
    assert str(caught.value).startswith(message)


class Generator(np.random.PCG64):
    """A bit generator that is not NumPy's own."""

    @property
    def state(self):
        return {**super().state, "bit_generator": "Generator"}

    @state.setter
    def state(self, value):
        np.random.PCG64.state.__set__(self, {**value, "bit_generator": "PCG64"})


def test_a_generator_that_numpy_does_not_have_is_refused():
    with pytest.raises(ValueError, match=r"^seed: expected one of NumPy's bit generators, PCG64, "):
        train(seed=Generator(1))


def test_a_path_that_cannot_be_written_is_refused_before_the_training(monkeypatch):
    def refuse(*_):
        raise AssertionError("it trains")

    monkeypatch.setattr(fastnet.training.loop, "train_passes", refuse)
    os.mkdir("folder.npz")
    for path in ("missing/run.npz", "folder.npz"):
        with pytest.raises(OSError, match=path):
            train(checkpoint=path)
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe.npz")
        with pytest.raises(ValueError, match="expected a regular file, found a pipe"):
            train(checkpoint="pipe.npz")
    with pytest.raises(OSError, match="missing"):
        train(0, checkpoint="missing/run.npz")


def test_a_link_to_a_file_that_is_not_there_yet_is_followed():
    os.symlink("elsewhere.npz", "run.npz")
    train(2, resume=True)
    assert os.path.islink("run.npz")
    assert_same(train(4, resume=True), without(4))


@pytest.mark.parametrize("resume", [False, True])
def test_a_file_that_is_not_a_checkpoint_is_refused_and_kept(resume):
    np.savez("arrays.npz", X=np.eye(2))
    npz.write("other.npz", {}, {"kind": "network"})
    for name, content in (("empty.npz", b""), ("text.npz", b"{}"), ("zeros.npz", b"\0" * 1000)):
        Path(name).write_bytes(content)
    for path in ("arrays.npz", "other.npz", "empty.npz", "text.npz", "zeros.npz"):
        before = Path(path).read_bytes()
        with pytest.raises(ValueError, match=f"^{path}: .*expected .*found "):
            train(checkpoint=path, resume=resume)
        assert Path(path).read_bytes() == before


def test_without_resume_the_first_checkpoint_replaces_another_one():
    train(2)
    before = Path("run.npz").read_bytes()
    seen = []

    def look(net, epoch, history):
        seen.append(Path("run.npz").read_bytes() == before)

    new = train(4, eta=0.1, callbacks=[look])
    assert seen == [True, False, False, False]
    assert_same(new, without(4, eta=0.1))


def truncated(content):
    return [content[: len(content) * k // 12] for k in range(12)] + [content[:-1]]


def changed(content):
    """The file with one byte changed, in many places."""
    for place in range(0, len(content), 37):
        yield content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]


def test_a_truncated_or_damaged_checkpoint_is_one_error_and_the_network_is_unchanged():
    options = {"optimizer": fastnet.Adam(), "early_stopping_n": 9, "evaluation_data": data(9)}
    train(2, **options)
    content, read = Path("run.npz").read_bytes(), 0
    for damaged in [*truncated(content), *changed(content)]:
        Path("run.npz").write_bytes(damaged)
        net = fastnet.Network([4, 5, 3], seed=2)
        before, first = net.copy(), drawn(net.copy())
        call = {"verbose": False, "checkpoint": "run.npz", "resume": True, **options}
        error = error_of(net.SGD, data(), 2, 10, 0.5, **call)
        if error is None:
            read += 1
        else:
            assert error.startswith(("run.npz: ", "checkpoint: expected run.npz"))
            assert net == before
            assert drawn(net) == first
    assert read < 40  # bytes that nothing reads, such as dates of members


def values_in(value, path=()):
    """The places of all values in JSON: paths of keys and indices."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from values_in(inner, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    return {**value, path[0]: replaced(value[path[0]], path[1:], new)}


HOSTILE = (None, -1, 1e300, 10**400, "nan", "x" * 100_000, [], {}, [1] * 1000, True, "PCG64", "os")


@pytest.mark.thorough
@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": fastnet.Adam(), "early_stopping": fastnet.EarlyStopping("training_cost", 9)},
        {"schedule": fastnet.HalveOnPlateau(2, monitor="training_cost"), "dropout": 0.5},
        {"seed": np.random.MT19937(1)},
        {"seed": np.random.Philox(1)},
    ],
)
def test_a_hostile_description_is_one_error_or_has_no_effect_on_memory(options):
    train(3, **options)
    arrays, meta = npz.read("run.npz")
    for path in values_in(meta):
        for new in HOSTILE:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    npz.write("run.npz", arrays, replaced(meta, path, new))
                except (TypeError, ValueError):  # an integer that JSON cannot represent
                    continue
                error = error_of(train, 6, resume=True, **options)
                expected = ("run.npz: ", "checkpoint: ", "epochs: ")
                assert error is None or error.startswith(expected)
                assert error is None or len(error) < 5000


@pytest.mark.parametrize(
    "position",
    [{"pos": 625}, {"pos": -1}, {"key": [0] * 623}, {"key": [1 << 32] * 624}, {"pos": 1.5}],
)
def test_a_position_outside_of_the_generators_numbers_is_refused(position):
    train(2, seed=np.random.MT19937(1))
    arrays, meta = npz.read("run.npz")
    meta["state"]["generator"]["state"] |= position
    npz.write("run.npz", arrays, meta)
    with pytest.raises(ValueError, match=r"^run\.npz: state\.generator\.state\.(pos|key): "):
        train(3, seed=np.random.MT19937(1), resume=True)


def test_arrays_of_another_shape_or_type_and_numbers_that_are_not_finite_are_refused():
    options = {"optimizer": fastnet.Adam(), "monitor_training_cost": True}
    train(2, **options)
    arrays, meta = npz.read("run.npz")
    for name, array in arrays.items():
        wrong = [array[:0], array.astype(np.int8), np.zeros((2, 2, 2)), None]
        if name != "training_cost":
            wrong.append(np.full_like(array, np.nan))
        for one in wrong:
            others = {key: it for key, it in arrays.items() if key != name}
            npz.write("run.npz", others if one is None else {**others, name: one}, meta)
            first = name.partition("weights" if "weights" in name else "biases")[0]
            assert refusal(epochs=3, **options).startswith(f"run.npz: {first}")


def test_a_checkpoint_of_a_later_format_is_refused():
    train(2)
    arrays, meta = npz.read("run.npz")
    npz.write("run.npz", arrays, {**meta, "format_version": 2})
    with pytest.raises(
        ValueError, match=r"^run\.npz: format_version: expected 1, that of this release"
    ):
        train(3, resume=True)


def test_load_and_a_training_refuse_each_others_files_by_name():
    net, _ = train(2)
    with pytest.raises(
        ValueError,
        match=r"^run\.npz: kind: expected 'network', found 'checkpoint', which a training "
        "with resume=True reads$",
    ):
        fastnet.load("run.npz")
    net.save("net.npz")
    with pytest.raises(ValueError, match=r"^net\.npz: kind: expected 'checkpoint', a checkpoint of "
                       "a training, found 'network'$"):  # fmt: skip
        train(2, checkpoint="net.npz", resume=True)


def test_numpy_alone_reads_a_checkpoint():
    whole, _ = train(3, optimizer=fastnet.Adam(), monitor_training_cost=True)
    with np.load("run.npz", allow_pickle=False) as found:
        meta = json.loads(found["fastnet"].item())
        assert np.array_equal(found["weights_0"], whole.weights[0])
        assert np.array_equal(found["biases_1"], whole.biases[1])
        assert found["moments_1_weights_0"].shape == whole.weights[0].shape
        assert len(found["training_cost"]) == 3
    assert (meta["kind"], meta["format_version"], meta["epochs"]) == ("checkpoint", 1, 3)
    assert meta["settings"]["eta"] == 0.5


# ---- errors during the training


def test_a_full_disk_keeps_the_previous_checkpoint_warns_once_and_training_goes_on(monkeypatch):
    original, n = os.fsync, [0]

    def full(number):
        n[0] += 1
        if n[0] > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(number)

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.warns(RuntimeWarning) as caught:
        net, _ = train(6)
    assert [str(one.message) for one in caught] == [
        "run.npz: the checkpoint after epoch 3 could not be written, No space left on device; the "
        "training goes on, and an earlier checkpoint stays as it is"
    ]
    assert caught[0].filename == __file__
    assert net == without()[0]
    assert npz.read("run.npz")[1]["epochs"] == 2
    assert os.listdir() == ["run.npz"]
    monkeypatch.setattr(files.os, "fsync", original)
    assert_same(train(resume=True), without())


LIMITED = """
import resource, sys, warnings
sys.path.insert(0, sys.argv[1])
from test_checkpoints import train, without
net, _ = train(2)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    net, _ = train(6, resume=True)
print(len(caught), caught[0].category.__name__, caught[0].message, net == without()[0])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of file sizes")
def test_a_file_that_the_system_lets_not_grow_keeps_the_previous_checkpoint():
    command = [sys.executable, "-P", "-c", LIMITED, Path(__file__).parent]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == (
        "1 RuntimeWarning run.npz: the checkpoint after epoch 3 could not be written, File too "
        "large; the training goes on, and an earlier checkpoint stays as it is True\n"
    ), done.stderr
    assert npz.read("run.npz")[1]["epochs"] == 2
    assert_same(train(resume=True), without())


def test_a_disk_that_has_space_again_gets_the_next_checkpoint(monkeypatch):
    original, n = os.fsync, [0]

    def full_at_times(number):
        n[0] += 1
        if n[0] in (2, 3, 5):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(number)

    monkeypatch.setattr(files.os, "fsync", full_at_times)
    with pytest.warns(RuntimeWarning) as caught:
        train(6)
    assert [str(one.message).split("epoch ")[1][0] for one in caught] == ["2", "5"]
    assert npz.read("run.npz")[1]["epochs"] == 6


def test_a_folder_that_is_removed_during_the_training_is_a_warning():
    os.mkdir("gone")

    def remove(net, epoch, history):
        if epoch == 3:
            shutil.rmtree("gone")

    with pytest.warns(RuntimeWarning, match=r"^gone.run\.npz: the checkpoint after epoch 3 could"):
        net, _ = train(6, checkpoint=os.path.join("gone", "run.npz"), callbacks=[remove])
    assert net == without()[0]


def interrupt_in_epoch_4(net, epoch, history):
    if epoch == 4:
        raise KeyboardInterrupt


def test_after_ctrl_c_the_last_checkpoint_stays_and_is_resumed():
    with pytest.raises(KeyboardInterrupt) as caught:
        train(callbacks=[interrupt_in_epoch_4], monitor_training_cost=True)
    assert len(caught.value.history.training_cost) == 4
    assert npz.read("run.npz")[1]["epochs"] == 3

    def quiet(net, epoch, history):
        return None

    quiet.__qualname__ = interrupt_in_epoch_4.__qualname__
    assert_same(train(callbacks=[quiet], monitor_training_cost=True, resume=True),
                without(monitor_training_cost=True))  # fmt: skip


def test_ctrl_c_within_a_write_keeps_the_previous_checkpoint(monkeypatch):
    original, n = files.write, [0]

    def interrupted(path, chunks):
        n[0] += 1

        def pieces():
            for i, chunk in enumerate(chunks):
                if n[0] == 3 and i == 4:
                    raise KeyboardInterrupt
                yield chunk

        original(path, pieces())

    monkeypatch.setattr(files, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train()
    assert os.listdir() == ["run.npz"]
    assert npz.read("run.npz")[1]["epochs"] == 2
    assert_same(train(resume=True), without())


def test_after_a_divergence_the_last_checkpoint_stays():
    def rate(epoch):
        return 1e30 if epoch == 4 else 0.1

    options = {"schedule": rate, "optimizer": fastnet.Momentum(0.9)}
    with pytest.raises(fastnet.DivergenceError, match="diverged in epoch 4"):
        train(**options, lmbda=1.0)
    assert npz.read("run.npz")[1]["epochs"] == 3
    with pytest.raises(fastnet.DivergenceError, match="diverged in epoch 4"):
        train(**options, lmbda=1.0, resume=True)
    assert npz.read("run.npz")[1]["epochs"] == 3


def test_an_exception_of_a_schedule_at_the_resumption_changes_nothing():
    def rate(epoch):
        if broken:
            raise RuntimeError("no rate")
        return 0.5

    broken = False
    train(2, schedule=rate)
    broken = True
    net = fastnet.Network([4, 5, 3], seed=8)
    before = net.copy()
    with pytest.raises(RuntimeError, match="no rate"):
        net.SGD(data(), 6, 10, 0.5, verbose=False, schedule=rate, checkpoint="run.npz", resume=True)
    assert net == before
    assert drawn(net) == drawn(before)


# ---- sweeps


def specs(epochs, **more):
    return [
        {"sizes": [4, 3], "epochs": epochs, "mini_batch_size": 10, "eta": 0.1 * seed, "seed": seed,
         "checkpoint": f"{seed}.npz", "resume": True, **more}
        for seed in (1, 2, 3)
    ]  # fmt: skip


def test_a_sweep_goes_on_from_the_checkpoints_of_its_specs():
    bare = [{k: v for k, v in spec.items() if k not in ("checkpoint", "resume")}
            for spec in specs(5)]  # fmt: skip
    whole = fastnet.fit_many(bare, data(), data(20, 1), verbose=False)
    fastnet.fit_many(specs(3), data(), data(20, 1), verbose=False)
    fits = fastnet.fit_many(specs(5), data(), data(20, 1), verbose=False)
    for one, other in zip(whole, fits, strict=True):
        assert other.error is None
        assert_same((one.network, one.history), (other.network, other.history))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"checkpoint": "1.npz"}, r"^specs\[1\]: checkpoint: expected a file for each spec, got "
         r"that of specs\[0\], '1.npz'$"),
        ({"seed": None}, r"^specs\[0\]: seed: expected a seed with a checkpoint"),
        ({"checkpoint": "1.txt"}, r"^specs\[0\]: checkpoint: expected a name that ends in .npz"),
    ],
)  # fmt: skip
def test_a_sweep_refuses_checkpoints_that_do_not_fit(more, message):
    with pytest.raises(ValueError, match=message):
        fastnet.fit_many(specs(3, **more), data(), verbose=False)


def test_a_sweep_refuses_the_checkpoint_of_another_training_before_it_begins():
    fastnet.fit_many(specs(2), data(), verbose=False)
    with pytest.raises(ValueError, match=r"^specs\[0\]: checkpoint: .* lmbda: the checkpoint has"):
        fastnet.fit_many(specs(3, lmbda=1.0), data(), verbose=False)


def test_the_search_for_eta_has_no_checkpoints():
    net = fastnet.Network([4, 3], seed=1)
    with pytest.raises(TypeError, match=r"^checkpoint: expected only these arguments of SGD"):
        fastnet.find_learning_rate(net, data(), checkpoint="run.npz")
