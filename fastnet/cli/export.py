"""``fastnet export``."""

import argparse

from fastnet.cli.errors import as_options, given_as
from fastnet.cli.outputs import check_is_another, check_writable
from fastnet.convert import to_c
from fastnet.network import load


def run(options: argparse.Namespace) -> None:
    """Write a saved network as C."""
    to_c.check_suffix("FILE", options.file)
    check_is_another("FILE", options.file, [("MODEL", options.model)])
    check_writable("FILE", options.file)
    with given_as("MODEL", options.model):
        net = load(options.model)
    with as_options(name="--name", scale="--scale"):
        net.to_c(options.file, options.name, scale=options.scale, jacobian=options.jacobian)
    print(f"{options.model} written to {options.file} as the function {options.name}")
