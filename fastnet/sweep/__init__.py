"""Training of many networks at once: in threads, in processes or on a Dask cluster."""

from fastnet.sweep.many import Fit, fit_as_completed, fit_many

__all__ = ["Fit", "fit_as_completed", "fit_many"]
