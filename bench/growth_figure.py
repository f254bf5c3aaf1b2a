"""The figure of growth.py: one panel for each parameter that is varied."""

import csv

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

# Okabe and Ito's colours, distinct for all kinds of colour vision, and markers for grey print.
STYLES = {
    "fastnet": {"color": "#D55E00", "marker": "o", "markersize": 3, "linewidth": 1.6},
    "NumPy": {"color": "#0072B2", "marker": "s", "markersize": 4, "linewidth": 1},
    "JAX": {"color": "#009E73", "marker": "^", "markersize": 4, "linewidth": 1},
    "PyTorch": {"color": "#CC79A7", "marker": "D", "markersize": 4, "linewidth": 1},
}


def draw(folder, axes, names):
    """Read growth.csv, write growth.png; `axes` says what each sweep's axis is called."""
    with (folder / "growth.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    figure, panels = plt.subplots(2, 3, figsize=(12, 7.2), layout="constrained")
    *panels, legend = panels.flat
    plain = FuncFormatter(lambda value, _: f"{value:g}")
    for panel, (sweep, description) in zip(panels, axes.items(), strict=True):
        for name in names:
            points = [row for row in rows if (row["sweep"], row["peer"]) == (sweep, name)]
            values = [float(row["value"]) for row in points]
            times = [1e6 * float(row["seconds_per_example"]) for row in points]
            panel.plot(values, times, label=name, **STYLES[name])
        panel.set(xscale="log", yscale="log", xlabel=description)
        panel.set_ylabel("time per example (µs)")
        low, high = panel.get_ylim()
        few = high / low < 100  # less than two decades: ticks between them too
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(plain)
            axis.set_minor_formatter(NullFormatter())
        panel.grid(which="major", color="0.85", linewidth=0.6)
        if sweep == "depth":  # name what was measured
            panel.set_xticks(values, [f"{value:g}" for value in values])
    legend.axis("off")
    legend.legend(*panels[0].get_legend_handles_labels(), loc="upper left", frameon=False)
    legend.text(
        0.02,
        0.45,
        "Training, one core, float32.\n"
        "Where it does not vary: [784, 30, 10],\n"
        "mini-batches of 10, 19 % of the\ninputs other than zero.\n\n"
        f"{rows[0]['processor']},\n{rows[0]['isa']}",
        transform=legend.transAxes,
        verticalalignment="top",
    )
    figure.savefig(folder / "growth.png", dpi=90)
