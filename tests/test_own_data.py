"""One's own data from a file to predictions in Python: ``fit_table``, scaled targets, scores."""

import numpy as np
import pytest
from tables import MADE, REAL, rows_of, target_of, write

import fastnet
from fastnet import own_data
from fastnet.own_data import Examples, Settings, TargetScale

# What a network reaches at least on its validation data: accuracy, or R² (seed 0).
REACHED = {"diabetes": 0.4, "wine": 0.94, "breast_cancer": 0.94, "digits": 0.95,
           "penguins": 0.95, "tips": 0.8}  # fmt: skip


@pytest.mark.parametrize("name", [*REAL, *MADE])
def test_a_file_becomes_a_saved_network_that_predicts_from_raw_rows_in_five_lines(
    name, tmp_path, monkeypatch
):
    if name in REAL:
        pytest.importorskip("sklearn", reason="scikit-learn has the data")
    monkeypatch.chdir(tmp_path)
    header, rows = rows_of(name)
    write("data.csv", header, rows[:-20])
    target = header.index(target_of(name))
    without = [[*row[:target], *row[target + 1 :]] for row in rows[-20:]]
    write("new.csv", [*header[:target], *header[target + 1 :]], without)

    fit = fastnet.fit_table("data.csv", target_of(name), seed=0)
    fit.net.save("net.json")
    net = fastnet.load("net.json")
    assert net == fit.net
    known = [row[target] for row in rows[-20:]]
    if {**REAL, **MADE}[name]:
        assert fit.score.r2 > REACHED[name] > fit.score.baseline_r2
        predicted = net.feedforward("new.csv")
        assert predicted.shape == (20, 1)
        known = np.array(known, float)
        errors = predicted[:, 0] - known
        assert (errors**2).mean() < ((known - known.mean()) ** 2).mean()
    else:
        assert fit.score.accuracy > REACHED[name] > fit.score.baseline_accuracy
        predicted = net.predict_labels("new.csv")
        assert (predicted == np.array(known)).mean() > fit.score.baseline_accuracy


def test_the_score_is_that_of_the_held_out_rows_and_the_repr_shows_it():
    header, rows = rows_of("penguins")
    data = [dict(zip(header, row, strict=True)) for row in rows]
    for row in data:
        row.update({k: None for k, v in row.items() if v in ("NA", "")})
        row.update({k: float(row[k]) for k in header[2:6] if row[k] is not None})
    fit = fastnet.fit_table(data, "species", epochs=20, seed=3)
    table, training, validation = fastnet.Table.split(data, "species", seed=3)
    assert fit.table == table == fit.net.inputs
    n = len(validation)
    most = np.bincount(training.y).argmax()
    assert fit.score.n == n
    assert fit.score.accuracy == fit.net.accuracy(validation) / n
    assert fit.score.baseline_accuracy == (validation.y == most).mean()
    assert len(fit.history.evaluation_cost) == 20
    assert fit.history.n_evaluation == n
    assert repr(fit).endswith(f"20 epochs; {n} validation examples: {fit.score}")
    assert str(fit.score).startswith(f"accuracy {fit.score.accuracy:.2%} (always the most")


def test_the_seed_and_the_options_determine_the_network():
    data = {"x": [*range(40)], "u": ["a", "b"] * 20, "y": [1.5 * i for i in range(40)]}
    fits = [
        fastnet.fit_table(data, "y", epochs=5, hidden=[4], seed=s, drop=d)
        for s, d in ((1, []), (1, []), (2, []), (1, ["u"]))
    ]
    assert fits[0].net == fits[1].net
    assert fits[0].net != fits[2].net
    assert [fit.net.sizes for fit in fits] == [[3, 4, 1]] * 3 + [[1, 4, 1]]


# ---- scaled targets


def examples(mean=5000.0, deviation=300.0, n=60, n_out=1):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(n, 3))
    y = mean + deviation * (X[:, :n_out] - 0.5 * X[:, 2:] + 0.1 * rng.normal(size=(n, n_out)))
    data = fastnet.Dataset(X, y)
    return Examples(data[: n // 2], data[n // 2 :])


def net_of(n_out=1, **options):
    usual = {"cost": "quadratic", "output": "linear", "dtype": "float64", "hidden": "tanh"}
    return fastnet.Network([3, 8, n_out], seed=1, **(usual | options))


def scaled(data):
    """(training, validation) with scaled targets, their mean and deviation."""
    mean, deviation = data.training.y.mean(axis=0), data.training.y.std(axis=0)
    sets = [
        fastnet.Dataset(each.X, (each.y - mean) / deviation)
        for each in (data.training, data.validation)
    ]
    return *sets, mean, deviation


@pytest.mark.parametrize(
    ("n_out", "cost"),
    [(1, "quadratic"), (2, "quadratic"), (1, "absolute"), (1, fastnet.QuantileCost(0.8))],
)
def test_linear_outputs_learn_scaled_targets_and_predict_in_the_units_of_the_targets(n_out, cost):
    data = examples(n_out=n_out)
    net = net_of(n_out, cost=cost)
    twin = net.copy()
    history = own_data.train(net, data, Settings(epochs=30))
    training, validation, mean, deviation = scaled(data)
    expected = twin.SGD(
        training, 30, 32, 0.001, 0.1, validation, monitor_evaluation_cost=True,
        optimizer=fastnet.Adam(), early_stopping=fastnet.EarlyStopping("evaluation_cost", 20),
        verbose=False,
    )  # fmt: skip
    assert history == expected
    X = data.validation.X
    np.testing.assert_allclose(
        net.feedforward(X), twin.feedforward(X) * deviation + mean, rtol=1e-12
    )


def test_the_threshold_of_the_huber_cost_is_in_units_of_the_target():
    data = examples(deviation=300.0)
    net, twin = net_of(cost=fastnet.HuberCost(450.0)), net_of(cost=fastnet.HuberCost(450.0))
    own_data.train(net, data, Settings(epochs=5))
    assert net.cost == fastnet.HuberCost(450.0)
    training, validation, mean, deviation = scaled(data)
    twin.cost = fastnet.HuberCost(450.0 / deviation[0])
    twin.SGD(
        training, 5, 32, 0.001, 0.1, validation, optimizer=fastnet.Adam(), verbose=False,
        early_stopping=fastnet.EarlyStopping("evaluation_cost", 20),
    )  # fmt: skip
    X = data.validation.X
    np.testing.assert_allclose(net.feedforward(X), twin.feedforward(X) * deviation + mean)


@pytest.mark.parametrize(
    ("cost", "output"),
    [("poisson", "exponential"), ("quadratic", "sigmoid"), ("log-cosh", "linear")],
)
def test_other_outputs_and_costs_learn_the_targets_as_they_are(cost, output):
    net = net_of(cost=cost, output=output)
    assert TargetScale.of(net, examples()) == TargetScale()


def test_a_constant_target_is_learnt():
    X = np.random.default_rng(0).normal(size=(40, 3))
    data = Examples(fastnet.Dataset(X, np.full((40, 1), 7.0)))
    net = net_of()
    own_data.train(net, data, Settings(epochs=200, mini_batch_size=8, eta=0.01))
    np.testing.assert_allclose(net.feedforward(X), 7.0, atol=0.2)


@pytest.mark.parametrize(
    ("mean", "deviation", "dtype"),
    [(0.0, 1.0, "float32"), (100.0, 1.0, "float32"), (1e9, 20.0, "float64"), (5.0, 0.0, "float64")],
)
def test_targets_that_float32_cannot_tell_apart_are_learnt_in_float64(mean, deviation, dtype):
    data = examples(mean, deviation)
    assert own_data.dtype_for(data) == dtype
    rows = {"x": [*range(30)], "y": (mean + deviation * np.arange(30)).tolist()}
    assert fastnet.fit_table(rows, "y", epochs=1, task="regression").net.dtype == dtype
    labels = Examples(fastnet.Dataset(data.training.X, [0, 1] * 15), classes=("a", "b"))
    assert own_data.dtype_for(labels) == "float32"


@pytest.mark.parametrize("unit", [2e40, 1e-42])
def test_targets_beyond_the_range_of_float32_are_learnt_in_float64(unit):
    x = np.arange(100) / 50 - 1
    fit = fastnet.fit_table({"x": x, "y": unit * x}, "y")
    assert fit.net.dtype == "float64"
    assert fit.score.r2 > 0.99
    usual = fastnet.fit_table({"x": x, "y": 1e30 * x}, "y", epochs=1)
    assert usual.net.dtype == "float32"


def test_outputs_have_the_units_of_the_target_after_an_interrupt(monkeypatch):
    data = examples()
    net = net_of()

    def stopped(self, training, *_, **__):
        assert abs(training.y.mean()) < 1e-9
        raise KeyboardInterrupt

    monkeypatch.setattr(fastnet.Network, "SGD", stopped)
    with pytest.raises(KeyboardInterrupt):
        own_data.train(net, data, Settings(epochs=5))
    assert abs(net.feedforward(data.training).mean() - 5000) < 1000


# ---- scores


def test_the_score_of_a_regression_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    for n_out in (1, 2):
        data = examples(n_out=n_out)
        net = net_of(n_out)
        own_data.train(net, data, Settings(epochs=10))
        found = own_data.score(net, data.validation, data.training)
        y, predicted = data.validation.y, net.feedforward(data.validation)
        of_mean = np.broadcast_to(data.training.y.mean(axis=0), y.shape)
        assert found.n == 30
        assert found.r2 == pytest.approx(metrics.r2_score(y, predicted))
        assert found.baseline_r2 == pytest.approx(metrics.r2_score(y, of_mean))
        assert found.rmse == pytest.approx(metrics.mean_squared_error(y, predicted) ** 0.5)
        assert found.baseline_rmse == pytest.approx(metrics.mean_squared_error(y, of_mean) ** 0.5)
        assert str(found).startswith(f"R² {found.r2:.4g}, root mean squared error")


def test_r2_of_a_constant_target_is_not_a_number():
    data = fastnet.Dataset(np.ones((3, 3)), np.full((3, 1), 2.0))
    score = own_data.score(net_of(), data)
    assert np.isnan(score.r2)
    assert str(score).startswith("R² undefined, as all values of a target are equal, root mean")


def test_the_baseline_of_data_without_training_data_is_their_own():
    net = fastnet.Network([1, 2], seed=0)
    data = fastnet.Dataset([[1.0], [2.0], [3.0]], [1, 1, 0])
    assert own_data.score(net, data).baseline_accuracy == 2 / 3
    assert own_data.score(net, data, data[2:]).baseline_accuracy == 1 / 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": 30}, r"hidden: expected the sizes of the hidden layers, .*, got 30$"),
        ({"hidden": "30"}, r"hidden: expected the sizes of the hidden layers, .*, got '30'$"),
        ({"hidden": [30, 2.5]}, r"hidden\[1\]: expected an integer, got 2\.5$"),
        ({"hidden": [0]}, r"hidden\[0\]: expected 1 or more, got 0$"),
        ({"eta": 3}, r"eta: expected an argument of Table\.fit: task, .*; got an unknown one$"),
        ({"epochs": 2.5}, r"epochs: expected an integer, got 2\.5$"),
        ({"epochs": -1}, r"epochs: expected 0 or more, got -1$"),
    ],
)
def test_a_wrong_argument_of_fit_table_is_named_before_the_data_are_read(options, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        fastnet.fit_table("no such file.csv", "y", **options)


def test_an_unknown_argument_of_split_is_named():
    with pytest.raises(TypeError, match=r"^hidden: expected an argument of Table\.fit"):
        fastnet.Table.split({"x": [1.5, 2.5], "y": [1.5, 2.5]}, "y", hidden=[3])
