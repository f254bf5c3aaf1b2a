"""scikit-learn's callbacks: each epoch or iteration is a task of the fit."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
pytest.importorskip("sklearn.callback", reason="scikit-learn 1.9 has callbacks")

import pandas
from fitted_estimators import X, Y
from sklearn import callback
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastnet.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
each_solver = pytest.mark.parametrize(
    ("solver", "step"), [("adam", "epoch"), ("sgd", "epoch"), ("lbfgs", "iteration")]
)


class Recorder:
    """Records every hook; stops the training after ``last`` steps."""

    def __init__(self, last=None):
        self.events, self.last = [], last

    def setup(self, estimator, context):
        self.events.append(("setup", context.task_name))

    def teardown(self, estimator, context):
        self.events.append(("teardown", context.task_name))

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.events.append(("begin", context.task_name, context.task_id, X, y, metadata))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.events.append(("end", context.task_name, context.task_id, X, y, fitted_estimator))
        return context.task_id + 1 == self.last

    def named(self):
        return [event[:3] for event in self.events]


class Propagated(Recorder):
    max_propagation_depth = None


def classifier(solver="adam", **options):
    return MLPClassifier(8, solver=solver, random_state=0, **{"max_iter": 4, **options})


@each_solver
def test_the_hooks_are_called_for_the_fit_and_each_of_its_steps(solver, step):
    recorder = Recorder()
    classifier(solver).set_callbacks(recorder).fit(X, Y)
    steps = [(hook, step, i) for i in range(4) for hook in ("begin", "end")]
    assert recorder.named() == [("setup", "fit"), ("begin", "fit", 0), *steps, ("end", "fit", 0),
                                ("teardown", "fit")]  # fmt: skip
    assert all(event[3] is X and event[4] is Y for event in recorder.events[1:-1])


@each_solver
def test_the_fitted_estimator_is_as_if_fit_had_ended_with_this_step(solver, step):
    recorder = Recorder()
    final = classifier(solver).set_callbacks(recorder).fit(X, Y)
    fitted = [event[5] for event in recorder.events if event[:2] == ("end", step)]
    assert len(fitted) == 4
    for n, one in enumerate(fitted, 1):
        alone = classifier(solver, max_iter=n).fit(X, Y)
        np.testing.assert_array_equal(one.predict_proba(X), alone.predict_proba(X))
        assert one.history_ == alone.history_
    assert fitted[-1].network_ == final.network_
    assert fitted[-1].network_ is not final.network_


@each_solver
def test_callbacks_change_no_bit(solver, step):
    one = classifier(solver, max_iter=30).set_callbacks(Recorder()).fit(X, Y)
    other = classifier(solver, max_iter=30).fit(X, Y)
    assert one.network_ == other.network_
    assert one.history_ == other.history_


@each_solver
def test_a_callback_that_returns_true_ends_the_fit(solver, step):
    stopped = classifier(solver, max_iter=50).set_callbacks(Recorder(last=3)).fit(X, Y)
    assert stopped.n_iter_ == 3
    assert stopped.network_ == classifier(solver, max_iter=3).fit(X, Y).network_


def test_a_fit_that_fails_tears_the_callbacks_down():
    recorder = Recorder()
    net = classifier(alpha=-1).set_callbacks(recorder)
    with pytest.raises(ValueError, match="alpha: expected"):
        net.fit(X, Y)
    assert recorder.events[-1] == ("teardown", "fit")
    assert not {"_callback_fit_ctx", "_skl_callbacks_to_teardown"} & vars(net).keys()


def test_an_epoch_that_was_interrupted_has_no_result():
    class Interrupting(Recorder):
        def on_fit_task_begin(self, estimator, context):
            if context.task_name == "epoch" and context.task_id == 2:
                raise KeyboardInterrupt

    recorder = Interrupting()
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        net = classifier(max_iter=10).set_callbacks(recorder).fit(X, Y)
    assert net.n_iter_ == 2
    assert recorder.events[-3][:3] == ("end", "epoch", 2)
    assert recorder.events[-3][5] is None


def test_sample_weights_are_the_metadata():
    recorder, weights = Recorder(), np.ones(len(X))
    classifier().set_callbacks(recorder).fit(X, Y, sample_weight=weights)
    assert recorder.events[1][5] == {"sample_weight": weights}


def test_partial_fit_calls_no_hook():
    recorder = Recorder()
    classifier().set_callbacks(recorder).partial_fit(X, Y, classes=[0, 1, 2])
    assert recorder.events == []


def test_clones_share_callbacks_and_an_empty_call_removes_them():
    recorder = Recorder()
    net = classifier().set_callbacks(recorder)
    clone(net).fit(X, Y)
    assert len(recorder.events) > 4
    recorder.events.clear()
    net.set_callbacks().fit(X, Y)
    assert recorder.events == []
    with pytest.raises(TypeError, match="callbacks must be instances following"):
        net.set_callbacks(print)


@each_solver
def test_a_scoring_monitor_logs_the_score_of_each_step(solver, step):
    monitor = callback.ScoringMonitor(scoring="accuracy")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    net = classifier(solver).set_callbacks(monitor).fit(frame, Y)
    log = monitor.get_logs().data_as_pandas
    steps = log[log.task_name == step]
    assert len(steps) == 4
    assert steps.accuracy.iloc[-1] == net.score(frame, Y)


def test_callbacks_of_pipelines_and_searches_reach_the_steps():
    recorder = Propagated()
    pipe = make_pipeline(StandardScaler(), classifier()).set_callbacks(recorder)
    pipe.fit(X, Y)
    assert ("end", "epoch", 3) in recorder.named()
    recorder = Propagated()
    search = GridSearchCV(classifier(), {"alpha": [0.1, 1]}, cv=2).set_callbacks(recorder)
    search.fit(X, Y)
    assert recorder.named().count(("end", "epoch", 3)) == 5


def test_the_regressor_has_callbacks_too():
    recorder = Recorder()
    MLPRegressor(hidden_layer_sizes=8, max_iter=2, random_state=0).set_callbacks(recorder).fit(
        X, X[:, 0]
    )
    assert recorder.named().count(("end", "epoch", 1)) == 1
