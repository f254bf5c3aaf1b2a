"""The registration of the estimators with skl2onnx, which is not imported for it unless a program
calls ``register_onnx``."""

from __future__ import annotations

import sys
from importlib import import_module

from fastnet.core import extras

_NAMES = ("MLPClassifier", "MLPRegressor")
# Options of skl2onnx for the outputs of a classifier; the only value of "nocl" is that labels are
# the names of the classes.
_OPTIONS = {"zipmap": [True, False, "columns"], "output_class_labels": [False, True],
            "nocl": [False]}  # fmt: skip


def register_onnx() -> None:
    """Register the estimators with skl2onnx, so that it converts them, also in pipelines and
    ensembles.

    A program needs this only if it imports skl2onnx when the estimators are fitted already: they
    register themselves when ``fastnet.sklearn`` is imported, when they are fitted and when they are
    unpickled, if skl2onnx has been imported by then.

    Raises
    ------
    ImportError
        If skl2onnx is missing.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from fastnet.sklearn import MLPRegressor, register_onnx
    >>> X = np.linspace(-2, 2, 200, dtype=np.float32)[:, None]
    >>> pipeline = make_pipeline(StandardScaler(), MLPRegressor((5,), random_state=0))
    >>> model = pipeline.fit(X, X[:, 0] ** 2)
    >>> import skl2onnx
    >>> register_onnx()
    >>> [one.name for one in skl2onnx.to_onnx(model, X[:1]).graph.output]
    ['variable']
    """
    skl2onnx = extras.needed("register_onnx", "skl2onnx")
    export = import_module("fastnet.sklearn.onnx_export")
    package = import_module("fastnet.sklearn")
    for name in _NAMES:
        skl2onnx.update_registered_converter(
            getattr(package, name), f"Fastnet{name}", export.set_shapes, export.convert,
            options=_OPTIONS if name == "MLPClassifier" else None,
        )  # fmt: skip


def register_if_imported() -> None:
    """``register_onnx`` if the program has imported skl2onnx and the estimators are not registered
    yet: a converter that a program registers itself is kept."""
    operators = sys.modules.get("skl2onnx._supported_operators")
    package = sys.modules.get("fastnet.sklearn")
    known = getattr(operators, "sklearn_operator_name_map", None)
    if known is None or not hasattr(package, _NAMES[-1]):
        return
    if not any(getattr(package, name) in known for name in _NAMES):
        register_onnx()
