"""Limits the BLAS of NumPy and SciPy to one thread, since its sums depend on the number of
threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_lock = threading.Lock()
_controller: Any = None  # of threadpoolctl, for the libraries loaded at the first call
_limiter: Any = None
_active = 0  # contexts of all threads; the last one lifts the limit


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """A context in which BLAS uses one thread, if threadpoolctl is installed, as it is with
    scikit-learn; without it, this has no effect. The limit holds for the whole process."""
    try:
        import threadpoolctl
    except ImportError:
        yield
        return
    global _active, _controller, _limiter
    with _lock:
        if _controller is None:
            _controller = threadpoolctl.ThreadpoolController()
        if _active == 0:
            _limiter = _controller.limit(limits=1, user_api="blas")
        _active += 1
    try:
        yield
    finally:
        with _lock:
            _active -= 1
            if _active == 0:
                _limiter.restore_original_limits()
