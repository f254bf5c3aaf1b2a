"""Print the results of the benchmarks: times, and comparison with the targets.

    python bench/table.py results/*.json             # files that bench/run.py wrote
    python bench/table.py results.json --markdown    # for a README

The first file decides which instruction set is the main one; another's figures
are put beside. A cell of the first table holds the median time and how many
times fastnet's time that is.
"""

import argparse
import sys
from collections import Counter

import results as measured_results
from results import of_limit
from wanted import WANTED

YARDSTICK = "fastnet"
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
BUSY = 1.2  # ratio of the fastest to the slowest peak; more means that the machine was busy
SAME_PEAK = 0.9  # ratio to AVX-512's peak with which AVX2 has the bounds "Zen 4"


def heading(results):
    """One line that says on what, and with which versions, it was measured."""
    infos = results.infos()
    info = infos[0]
    versions = {"fastnet": info["fastnet"], "Python": info["python"], "NumPy": info["numpy"]}
    for peer in infos:
        versions.setdefault(peer["library"], peer["peer_version"])
    where = f"{info['processor']}, {results.isa}, one core unless said"
    return f"{where}; " + ", ".join(f"{name} {version}" for name, version in versions.items())


def peaks(results):
    """The measured peaks of a core during the jobs."""
    words, busy = [], False
    for dtype in ("float32", "float64"):
        found = [peak / 1e9 for peak in results.peaks(dtype)]
        if found:
            spread = f" ({min(found):.1f} to {max(found):.1f})" if len(found) > 1 else ""
            busy = busy or max(found) > BUSY * min(found)
            words.append(f"{dtype} {results.peak(dtype) / 1e9:.1f} GFLOP/s{spread}")
    if not words:
        return ""
    warning = (
        "\nThe peak varied: something else ran on this machine. Measure again." if busy else ""
    )
    return f"FMA peak of a core, {results.isa}: {', '.join(words)}{warning}"


def with_unit(seconds):
    """Three digits and a unit: 0.02385 is "23.9 ms"."""
    size, unit = next((pair for pair in UNITS if seconds >= pair[0] * 0.9995), UNITS[-1])
    return f"{three_digits(seconds / size)} {unit}"


def three_digits(value):
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}"


def cell(info, yardstick):
    if info is None:
        return "-"
    if yardstick is None:
        return with_unit(info["seconds"])
    ratio = info["seconds"] / yardstick["seconds"]
    return f"{with_unit(info['seconds'])} ({ratio:.{1 if ratio < 99.5 else 0}f}x)"


def of_the_limit(info):
    return three_digits(of_limit(info)) if info and "peak" in info else "-"


def times(results, columns, kernels=True):
    """The median times as rows of strings, the head first."""
    limit = "x limit"
    rows = [["median time (times fastnet's)", YARDSTICK, limit, *columns]]
    for job, peers in results.table.items():
        if job.startswith(measured_results.KERNEL) and not kernels:
            continue
        if not all(info.get("timed", True) for info in peers.values()):
            continue
        own = peers.get(YARDSTICK)
        row = [cell(peers.get(name), own) for name in columns]
        rows.append([job, cell(own, None), of_the_limit(own), *row])
    return rows


def has_equal_peaks(results, avx2):
    """Whether AVX2 is as fast as AVX-512 here."""
    both = results.peak("float32"), avx2 and avx2.peak("float32")
    return all(both) and results.isa == "avx512" and both[1] >= SAME_PEAK * both[0]


def verdict(line, value, decides):
    if value is None:
        return "not measured"
    if not decides:
        return f"reported (set on {line.set_on})"
    return "yes" if line.reached(value) else "NO"


def beside_wanted(results, avx2):
    """The targets and the measured figures as rows of strings, the head first."""
    head = ["job", "wanted", f"measured, {results.isa}"]
    rows = [[*head, *([f"{avx2.isa}"] if avx2 else []), "reached?"]]
    own = avx2 or (results if results.isa == "avx2" else None)
    for line in WANTED:
        main, second = line.measured(results), avx2 and line.measured(avx2)
        value, decides = main, line.set_on != "AVX-512" or results.isa == "avx512"
        if line.set_on == "Zen 4":  # of the AVX2 build
            value = own and line.measured(own)
            decides = has_equal_peaks(results, avx2)
        shown = [figure if figure is None else three_digits(figure) for figure in (main, second)]
        cells = [text or "-" for text in shown[: 2 if avx2 else 1]]
        wanted = line.text + (f" ({line.set_on})" if line.set_on else "")
        rows.append([line.job, wanted, *cells, verdict(line, value, decides)])
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
    parser = argparse.ArgumentParser(description="Print the benchmarks as tables.")
    parser.add_argument("results", nargs="+", help="JSON from bench/run.py or --benchmark-json")
    parser.add_argument("--markdown", action="store_true", help="print Markdown tables")
    parser.add_argument("--no-kernels", action="store_true", help="leave out the single kernels")
    options = parser.parse_args()
    try:
        results, *others = measured_results.read(options.results)
    except ValueError as error:
        sys.exit(f"table.py: {error}")
    avx2 = next((other.over(results) for other in others if other.isa == "avx2"), None)

    form = as_markdown if options.markdown else as_text
    present = {peer for peers in results.table.values() for peer in peers} - {YARDSTICK}
    columns = [name for name in results.machine["columns"] if name in present]
    print(f"\n{heading(results)}")
    print(*filter(None, map(peaks, [results, *others])), sep="\n")
    print(f"\n{form(times(results, columns, not options.no_kernels))}")
    wanted = beside_wanted(results, avx2)
    print(f"\n{form(wanted)}")
    verdicts = Counter(row[-1] for row in wanted[1:])
    print("\n" + ", ".join(f"{count} {text}" for text, count in verdicts.most_common()))
    for reason in results.machine["absent"]:
        print(f"\n{reason}")


if __name__ == "__main__":
    main()
