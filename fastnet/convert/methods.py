"""The methods by which ``Network`` is converted to and from other programs' models."""

from __future__ import annotations

from fastnet.model import Model


class ConversionMethods:
    """A part of ``Network``."""

    _model: Model

    # ---- ONNX

    # ---- scikit-learn

    # ---- PyTorch

    # ---- Keras

    # ---- C
