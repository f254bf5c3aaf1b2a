"""Results of benchmarks, read from the JSON files of pytest-benchmark."""

import json
import statistics
from pathlib import Path

KERNEL = "kernel "  # prefix of the names of jobs that are single kernels


def of_limit(info):
    """A job's time in units of the time that its dense arithmetic takes at the peak."""
    at_peak = info["dense_operations"] / (info["peak"] * info["threads"])
    return info["seconds"] / at_peak


class Results:
    """The figures of one instruction set.

    Attributes
    ----------
    table : dict
        {job: {peer: {"seconds": the median for the whole job, and all facts that
        the benchmark recorded beside it}}}, in the order of measuring, kernels last.
    isa : str
    machine : dict
        What pytest-benchmark tells of the machine.
    """

    def __init__(self, documents):
        self.machine = documents[0]["machine_info"]
        self.isa = documents[0]["benchmarks"][0]["extra_info"]["isa"]
        table = {}
        for document in documents:
            for benchmark in document["benchmarks"]:
                info = benchmark["extra_info"]
                info.setdefault("seconds", benchmark["stats"]["median"] / info["part"])
                table.setdefault(info["job"], {})[info["peer"]] = info
        self.table = dict(sorted(table.items(), key=lambda row: row[0].startswith(KERNEL)))

    def infos(self):
        return [info for peers in self.table.values() for info in peers.values()]

    def info(self, job, peer="fastnet"):
        """The figures of a job; None if it was not measured."""
        return self.table.get(job, {}).get(peer)

    def peaks(self, dtype):
        """The peaks of a core that were measured beside the jobs, in operations per second."""
        return [info["peak"] for info in self.infos() if info.get("peak_dtype") == dtype]

    def peak(self, dtype):
        found = self.peaks(dtype)
        return statistics.median(found) if found else None

    def over(self, other):
        """These figures, completed by those of `other`."""
        both = Results.__new__(Results)
        both.machine, both.isa = self.machine, self.isa
        both.table = {job: dict(peers) for job, peers in other.table.items()}
        for job, peers in self.table.items():
            both.table.setdefault(job, {}).update(peers)
        return both


def read(paths):
    """[Results, ...], one for each instruction set, in the order of the files.

    Raises
    ------
    ValueError
        For a file that is not such JSON, or has no benchmark in it.
    """
    by_isa = {}
    for path in paths:
        try:
            document = json.loads(Path(path).read_text(encoding="utf-8"))
            isa = document["benchmarks"][0]["extra_info"]["isa"]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ValueError(f"{path}: expected the JSON of --benchmark-json: {error!r}") from None
        by_isa.setdefault(isa, []).append(document)
    return [Results(documents) for documents in by_isa.values()]
