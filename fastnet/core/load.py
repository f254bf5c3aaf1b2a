"""The first module that fastnet imports: it loads the compiled kernels, or says in one line why
it cannot."""

import sys
from importlib import import_module
from itertools import pairwise

import numpy as np


def _is_command() -> bool:
    """Whether this process is ``fastnet ...`` or ``python -m fastnet ...``."""
    started = sys.argv[0] if sys.argv else ""
    if started == "-m":  # what Python sets until it has found the module
        options = pairwise(sys.orig_argv)  # -m may be combined: -Im fastnet, -mfastnet
        return any(
            one.startswith("-")
            and (one.endswith("mfastnet") or (one[-1] == "m" and two == "fastnet"))
            for one, two in [*options, (sys.orig_argv[-1], "")]
        )
    return started.replace("\\", "/").rsplit("/", 1)[-1] in ("fastnet", "fastnet.exe")


def _fail(message: str) -> None:
    if _is_command():
        print(f"fastnet: error: {message}", file=sys.stderr)
        sys.exit(2)
    raise ImportError(message) from None


try:
    _kernels = import_module("fastnet.core._kernels")
except ModuleNotFoundError as error:
    if error.name != "fastnet.core._kernels":
        raise
    _fail(
        "the C kernels are not built in this folder: 'make train' or 'pip install .' in the "
        "checkout builds and installs them; then start Python in another folder, or with -P"
    )
except ImportError as error:
    _fail(str(error))


def version() -> str:
    """The version of the package that is installed; "unknown" in programs that are packed without
    the metadata."""
    from importlib import metadata  # rarely needed, and takes a third as long to import as NumPy

    try:
        return metadata.version("fastnet")
    except metadata.PackageNotFoundError:
        return "unknown"


def show_config() -> None:
    """Print the versions in use, the compiler, and the instruction set that was chosen."""
    import platform

    print(
        f"fastnet          {version()}",
        f"instruction set  {_kernels.isa()} (available: {', '.join(_kernels.available())}; "
        f"FASTNET_ISA chooses)",
        f"compiler         {_kernels.compiler()}",
        f"NumPy            {np.__version__}",
        f"Python           {platform.python_version()} on {platform.system()} {platform.machine()}",
        sep="\n",
    )
