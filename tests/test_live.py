"""``plots.live``: curves that grow, on Axes and in a real notebook; the pictures of verbose=2."""

import base64
import types

import numpy as np
import pytest

import fastnet
from fastnet import plots
from fastnet.core import reporting

pytest.importorskip("matplotlib", reason="matplotlib is not installed")
from matplotlib.figure import Figure

DATA = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
PNG = b"\x89PNG"


def train(epochs, callback, **options):
    net = fastnet.Network([3, 2], seed=1)
    return net.SGD(DATA, epochs, 8, 0.1, callbacks=[callback], verbose=False, **options)


# ---- on Axes


def curves(ax):
    return {line.get_label().partition(",")[0]: line.get_ydata().tolist() for line in ax.lines}


def test_the_curves_on_axes_grow_with_each_epoch():
    ax = Figure().subplots()
    live = plots.live(ax=ax, interval=0)
    seen = []

    def callback(net, epoch, history):
        live(net, epoch, history)
        seen.append(curves(ax))

    history = train(4, callback, monitor_training_cost=True)
    costs = history.training_cost
    assert seen[0] == {"training data": costs[:1]}
    assert all(one == {"training data": costs[: len(one["training data"])]} for one in seen)
    live.close()
    assert curves(ax) == {"training data": costs}
    assert ax.get_ylabel().startswith("mean cost")


def test_a_long_interval_leaves_out_epochs_but_the_last_is_drawn_at_the_end():
    ax = Figure().subplots()
    live = plots.live("accuracy", ax=ax, interval=1000)
    history = train(5, live, monitor_training_accuracy=True, monitor_training_cost=True)
    percent = [100 * n / 40 for n in history.training_accuracy]
    assert curves(ax) == {"training data": percent[:1]}
    live.close()
    assert curves(ax) == {"training data": percent}
    live.close()  # has nothing more to draw
    second = train(2, live, monitor_training_accuracy=True)  # another training, another history
    live.close()
    assert curves(ax) == {"training data": [100 * n / 40 for n in second.training_accuracy]}


def test_drawing_takes_no_more_than_a_fifth_of_the_time(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(
        "fastnet.plots.live_curves.time", types.SimpleNamespace(monotonic=lambda: clock[0])
    )
    drawn = []

    def draw(history, quantity, *, ax):
        drawn.append((clock[0], len(history.training_cost)))
        clock[0] += 2.0  # seconds for a picture

    monkeypatch.setattr("fastnet.plots.live_curves.results.training", draw)
    live = plots.live(ax=Figure().subplots(), interval=0.5)
    history = fastnet.History([], [], [], [])
    for _ in range(100):
        clock[0] += 1.0
        history.training_cost.append(1.0)
        live.update(history)
    between = np.diff([time for time, _ in drawn])
    assert (between >= 12).all()
    assert len(drawn) > 5


def test_the_callback_changes_no_bit():
    net, other = fastnet.Network([3, 2], seed=1), fastnet.Network([3, 2], seed=1)
    net.SGD(DATA, 5, 8, 0.5, monitor_training_cost=True, verbose=False)
    other.SGD(
        DATA, 5, 8, 0.5, monitor_training_cost=True, verbose=False,
        callbacks=[plots.live(ax=Figure().subplots(), interval=0)],
    )  # fmt: skip
    assert net == other


def test_nothing_monitored_draws_nothing():
    ax = Figure().subplots()
    live = plots.live(ax=ax, interval=0)
    train(3, live)
    live.close()
    assert not ax.lines


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"quantity": "loss"}, ValueError, "quantity: expected 'accuracy' or 'cost', got 'loss'"),
        ({"interval": -1}, ValueError, "interval: expected a finite number of 0 or more, got -1"),
        ({"ax": 3}, TypeError, "ax: expected a matplotlib Axes or None, got 3"),
        ({}, RuntimeError, "live: expected a notebook, or Axes to draw on, ax="),
    ],
)
def test_wrong_arguments_and_places_are_refused(arguments, kind, message):
    with pytest.raises(kind, match=f"^{message}$"):
        plots.live(**arguments)


# ---- in a notebook


SETUP = """
import numpy as np, fastnet
DATA = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
net = fastnet.Network([3, 2], seed=1)
"""
CELLS = {
    "verbose": """
history = net.SGD(
    DATA, 60, 8, 0.1, monitor_training_cost=True, monitor_training_accuracy=True, verbose=2
)""",
    "callback": """
live = fastnet.plots.live("cost", interval=0.01)
monitored = {"monitor_training_cost": True, "verbose": 0, "callbacks": [live]}
history = net.SGD(DATA, 60, 8, 0.1, **monitored)""",
    "twice": """
for _ in range(2):
    net.SGD(DATA, 3, 8, 0.1, **monitored)""",
    "unmonitored": "net.SGD(DATA, 2, 8, 0.1, verbose=2);",
    "failing": """
def fail(net, epoch, history):
    if epoch == 4:
        raise ZeroDivisionError
try:
    net.SGD(DATA, 9, 8, 0.1, monitor_training_cost=True, verbose=2, callbacks=[fail])
except ZeroDivisionError:
    pass""",
}


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """{name: outputs of the cell} of a notebook that a kernel executed."""
    pytest.importorskip("ipykernel", reason="ipykernel runs notebooks")
    nbclient = pytest.importorskip("nbclient", reason="nbclient executes notebooks")
    nbformat = pytest.importorskip("nbformat", reason="nbformat has notebooks")
    cells = [nbformat.v4.new_code_cell(source) for source in (SETUP, *CELLS.values())]
    made = nbformat.v4.new_notebook(cells=cells)
    folder = {"metadata": {"path": str(tmp_path_factory.mktemp("notebook"))}}
    nbclient.NotebookClient(made, timeout=120, kernel_name="python3", resources=folder).execute()
    return dict(zip(CELLS, [cell.outputs for cell in made.cells[1:]], strict=True))


def pictures(outputs):
    """[(PNG, what it shows)] of the pictures below a cell."""
    return [
        (base64.b64decode(one.data["image/png"]), one.metadata["image/png"]["alt"])
        for one in outputs
        if "image/png" in one.get("data", {})
    ]


def test_verbose_2_draws_the_curves_of_all_epochs_below_the_cell(notebook):
    ((png, shown),) = pictures(notebook["verbose"])
    assert png.startswith(PNG)
    assert shown == "Curves after epoch 60"


def test_the_callback_draws_one_picture_whose_last_state_has_all_epochs(notebook):
    ((png, shown),) = pictures(notebook["callback"])
    assert png.startswith(PNG)
    assert shown == "Curves after epoch 60"


def test_each_training_has_a_picture_of_its_own(notebook):
    assert [shown for _, shown in pictures(notebook["twice"])] == ["Curves after epoch 3"] * 2


def test_a_training_without_figures_has_no_picture(notebook):
    assert pictures(notebook["unmonitored"]) == []


def test_a_training_that_fails_leaves_the_curves_of_the_epochs_before(notebook):
    ((_, shown),) = pictures(notebook["failing"])
    assert shown == "Curves after epoch 4"


def test_accuracy_and_cost_are_side_by_side_and_one_quantity_is_alone(notebook):
    """The width and the height are in the header of a PNG."""
    sizes = {
        name: tuple(np.frombuffer(pictures(notebook[name])[0][0][16:24], ">u4").tolist())
        for name in ("verbose", "callback")
    }
    assert sizes == {"verbose": (896, 288), "callback": (448, 288)}


def test_without_matplotlib_a_notebook_has_the_bar_only(monkeypatch):
    def missing():
        raise ImportError("matplotlib")

    bars = []
    monkeypatch.setattr(reporting, "make_curves", missing)
    monkeypatch.setattr(reporting, "in_notebook", lambda: True)
    monkeypatch.setattr(reporting, "tqdm", lambda: bars.append)
    assert isinstance(reporting.reporter_of_level(2), reporting.Bar)
