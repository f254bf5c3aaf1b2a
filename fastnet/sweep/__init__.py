"""Many networks at once: over threads, processes and Dask."""

from fastnet.sweep.many import Fit, fit_as_completed, fit_many

__all__ = ["Fit", "fit_as_completed", "fit_many"]
