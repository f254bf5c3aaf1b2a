"""The table of costs in docs/tour.md, made from fastnet/nn/costs.py.

    python tools/cost_table.py

writes it between the marks of the document; ``tests/test_documents.py`` compares it with the
registry.
"""

from pathlib import Path

from fastnet.nn.costs import COSTS

BEGIN, END = "<!-- costs: begin -->", "<!-- costs: end -->"


def table() -> str:
    """The table in Markdown: a row for each cost and output layer."""
    lines = ["| cost | C of an example | output layer | error at the output |", "|---|---|---|---|"]
    for cost in COSTS:
        names = {name: name for name in cost().named_parameters}
        arguments = ", ".join(
            f"{name}={value:g}" for name, value in cost().named_parameters.items()
        )
        called = f"{cost.__name__}({arguments})" if arguments else cost.__name__
        outputs = " or ".join(cost.errors)
        errors = " or ".join(
            formula.text.replace("^{L}", "").format(**names) for formula in cost.errors.values()
        )
        cells = f'`{called}`, "{cost.name}"', cost.formula.text.format(**names), outputs, errors
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines).replace(" - ", " − ")


def renewed(text: str) -> str:
    """The document with the table of the registry."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    path = Path(__file__).parents[1] / "docs" / "tour.md"
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
