"""Print the benchmarks as one table: a row for each job, a column for each peer.

    python bench/table.py results.json             # a file that --benchmark-json wrote
    python bench/table.py                          # runs the benchmarks first
    python bench/table.py results.json --markdown  # for a README

A cell holds the median time and how many times fastnet's time that is.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

YARDSTICK = "fastnet"
KERNEL = "kernel "  # how the names of the jobs begin that are single kernels
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def run_benchmarks():
    """Run pytest on this folder; return what it measured, as read from its JSON."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.json"
        # -P: the fastnet that is installed, not the sources in the current folder
        command = [sys.executable, "-P", "-m", "pytest", str(Path(__file__).parent)]
        command += ["--benchmark-only", "-q", f"--benchmark-json={results}"]
        status = subprocess.run(command, check=False).returncode
        if status:
            sys.exit(f"table.py: the benchmarks failed (pytest's exit status is {status})")
        return json.loads(results.read_text(encoding="utf-8"))


def medians(results):
    """The median seconds for the whole job, as `{job: {peer: seconds}}`, kernels last."""
    table = {}
    for benchmark in results["benchmarks"]:
        info = benchmark["extra_info"]
        whole = benchmark["stats"]["median"] / info["part"]
        table.setdefault(info["job"], {})[info["peer"]] = whole
    return dict(sorted(table.items(), key=lambda row: row[0].startswith(KERNEL)))


def heading(results):
    """One line that says on what, and with which versions, it was measured."""
    info = results["benchmarks"][0]["extra_info"]
    versions = {"fastnet": info["fastnet"], "Python": info["python"], "NumPy": info["numpy"]}
    for benchmark in results["benchmarks"]:
        peer = benchmark["extra_info"]
        if peer["library"] not in versions:
            versions[peer["library"]] = peer["peer_version"]
    where = f"{info['processor']}, {info['isa']}, {info['threads']} thread"
    return f"{where}; " + ", ".join(f"{name} {version}" for name, version in versions.items())


def with_unit(seconds):
    """Three digits and a unit: 0.02385 is "23.9 ms"."""
    size, unit = next((pair for pair in UNITS if seconds >= pair[0] * 0.9995), UNITS[-1])
    value = seconds / size
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{decimals}f} {unit}"


def cell(seconds, yardstick):
    if seconds is None:
        return "-"
    if yardstick is None:
        return with_unit(seconds)
    ratio = seconds / yardstick
    return f"{with_unit(seconds)} ({ratio:.{1 if ratio < 99.5 else 0}f}x)"


def cells(table, columns):
    """The table as rows of strings, the head first."""
    rows = [["median time (times fastnet's)", *columns]]
    for job, times in table.items():
        yardstick = times.get(YARDSTICK)
        row = [cell(times.get(name), None if name == YARDSTICK else yardstick) for name in columns]
        rows.append([job, *row])
    return rows


def as_text(rows):
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        padded = [first.ljust(widths[0])]
        padded += [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join(padded))
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(lines)


def as_markdown(rows):
    head, *body = rows
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *body))


def main():
    parser = argparse.ArgumentParser(description="Print the benchmarks as one table of ratios.")
    parser.add_argument("results", nargs="?", help="JSON from --benchmark-json; else run them")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--no-kernels", action="store_true", help="leave out the single kernels")
    options = parser.parse_args()
    if options.results:
        try:
            results = json.loads(Path(options.results).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            sys.exit(f"table.py: expected the JSON of --benchmark-json: {error}")
    else:
        results = run_benchmarks()
    if not isinstance(results, dict) or not results.get("benchmarks"):
        sys.exit("table.py: no benchmark was run")

    table = medians(results)
    if options.no_kernels:
        table = {job: times for job, times in table.items() if not job.startswith(KERNEL)}
    machine = results["machine_info"]
    present = {peer for times in table.values() for peer in times}
    columns = [name for name in machine["columns"] if name in present]
    rows = cells(table, columns)
    print(f"\n{heading(results)}\n")
    print(as_markdown(rows) if options.markdown else as_text(rows))
    for reason in machine["absent"]:
        print(f"\n{reason}")


if __name__ == "__main__":
    main()
