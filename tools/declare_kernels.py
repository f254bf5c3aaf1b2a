"""The part of fastnet/core/_kernels.pyi that declares what ``_kernels`` shares with
``fastnet.reference``.

    python -P tools/declare_kernels.py && ruff format fastnet/core/_kernels.pyi

writes it below the mark in the stub, with the signatures of the installed ``fastnet.reference``;
``tests/test_reference_twin.py`` compares the two. So the signatures are written only once, in the
reference, and ``core`` imports nothing from this package, which is above it in the order of layers.
"""

import ast
from pathlib import Path
from types import ModuleType

from fastnet import nn, reference
from fastnet.core import _kernels

STUB = Path(__file__).parents[1] / "fastnet" / "core" / "_kernels.pyi"
MARK = "# ---- shared with fastnet.reference: written by tools/declare_kernels.py\n"


def definitions(package: ModuleType) -> dict[str, ast.stmt]:
    """The statements of a package's modules that define their names."""
    found: dict[str, ast.stmt] = {}
    for path in sorted(Path(str(package.__file__)).parent.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found[node.name] = node
            elif isinstance(node, ast.AnnAssign | ast.Assign):
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                found[ast.unparse(target)] = node
    return found


def declared(name: str, node: ast.stmt) -> str:
    """What a statement defines, without values and bodies. A class has the annotations at its
    head, and those methods that the class of the kernels has, too."""
    if isinstance(node, ast.FunctionDef):
        returns = "" if node.returns is None else f" -> {ast.unparse(node.returns)}"
        return f"def {node.name}({ast.unparse(node.args)}){returns}: ..."
    if not isinstance(node, ast.ClassDef):
        return f"{name}: {type(getattr(reference, name)).__name__}"
    shared = {"__init__", *dir(getattr(_kernels, name))}
    lines = [ast.unparse(each) for each in node.body if isinstance(each, ast.AnnAssign)]
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name in shared:
            lines.append(declared(each.name, each))
    return "\n    ".join([f"class {name}:", *lines])


def declarations() -> str:
    """The text below the mark: the shared names, and the aliases of types that they use."""
    known = definitions(nn) | definitions(reference)
    shared = [declared(name, known[name]) for name in reference.__all__]
    names = {n.id for n in ast.walk(ast.parse("\n".join(shared))) if isinstance(n, ast.Name)}
    aliases = [
        ast.unparse(node)
        for name, node in known.items()
        if name in names and isinstance(node, ast.AnnAssign)
    ]
    return "\n".join([*aliases, *shared, ""])


def renewed(stub: str) -> str:
    """The text of the stub with the declarations of the present reference."""
    return stub.partition(MARK)[0] + MARK + "\n" + declarations()


if __name__ == "__main__":
    STUB.write_text(renewed(STUB.read_text(encoding="utf-8")), encoding="utf-8")
