"""``fastnet export``."""

import argparse

from fastnet.cli.errors import as_options, given_as
from fastnet.cli.evaluate import data_of
from fastnet.cli.outputs import check_is_another, check_writable
from fastnet.convert import to_c
from fastnet.network import load


def run(options: argparse.Namespace) -> None:
    """Write a saved network as C."""
    if options.data is not None and not options.int8:
        raise ValueError("--data: expected --int8, whose rounding it measures")
    to_c.check_suffix("FILE", options.file)
    inputs = [("MODEL", options.model), *(("--data", one) for one in options.data or ())]
    check_is_another("FILE", options.file, inputs)
    check_writable("FILE", options.file)
    with given_as("MODEL", options.model):
        net = load(options.model)
    data = None if options.data is None else data_of(net, options, "--data")
    words = {argument: f"--{argument}" for argument in ("name", "scale", "int8", "data")}
    with as_options(**words):
        report = net.to_c(
            options.file, options.name, scale=options.scale, jacobian=options.jacobian,
            int8=options.int8, data=data,
        )  # fmt: skip
    print(f"{options.model} written to {options.file} as the function {options.name}")
    if report is not None:
        print(report)
