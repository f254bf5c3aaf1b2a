"""Declares csrc/fastnet.h and csrc/core/plan.h to Cython, in a file of the build folder.

The compiler's preprocessor expands the lists (kernels.def and others), so that each kernel,
enumerator and struct is declared once, in C.
"""

import re
import subprocess
from pathlib import Path

FOLDER = "csrc"
HEADER = f"{FOLDER}/core/plan.h"  # which includes fastnet.h

# A pointer to a function of the caller.
CALLBACK = re.compile(r"\(\*\w+\)\([^()]*\)")


def preprocessed(command: list[str], header: str = HEADER) -> str:
    """The text of the header and of what it includes from ``FOLDER``, macros expanded."""
    to_expand = [*command, "-E", f"-I{FOLDER}", header]
    done = subprocess.run(to_expand, stdout=subprocess.PIPE, text=True, check=True)
    kept, is_own = [], False
    for line in done.stdout.splitlines():
        marker = re.match(r'#\s*(?:line )?\d+ "(.*?)"', line)
        if marker:
            is_own = marker[1].startswith(FOLDER + "/")
        elif is_own and not line.startswith("#"):
            kept.append(line)
    return " ".join(" ".join(kept).split())


def statements(text: str) -> list[str]:
    """The declarations at the top level; for the definition of a function, its head."""
    found, start, depth = [], 0, 0
    for match in re.finditer(r"[{};]", text):
        depth += {"{": 1, "}": -1, ";": 0}[match[0]]
        ends = match[0] == ";" or (match[0] == "}" and "(" in text[start:].partition("{")[0])
        if depth == 0 and ends:
            found.append(text[start : match.start()].strip())
            start = match.end()
    return found


def enumerators(body: str) -> list[str]:
    return [name.partition("=")[0].strip() for name in body.split(",") if name.strip()]


def declared(statement: str) -> list[str]:
    """The lines that declare a statement of C to Cython; none for private data."""
    head, brace, rest = statement.partition("{")
    head = head.strip()
    body, _, name = rest.rpartition("}")
    if head in ("typedef enum", "enum"):
        title = f"ctypedef enum {name.strip()}:" if name.strip() else "enum:"
        return [title, *(f"    {each}" for each in enumerators(body))]
    if re.fullmatch(r"typedef struct (\w+) \1", head):  # defined further below
        return []
    if re.fullmatch(r"typedef struct(?: \w+)?", head):
        fields = [each.strip() for each in body.split(";") if each.strip()]
        return [f"ctypedef struct {name.strip()}:", *(f"    {with_nogil(f)}" for f in fields)]
    if head.startswith("typedef "):
        return [f"c{with_nogil(head)}"]
    if brace and "(" not in head:  # an array and its elements
        return []
    words = re.sub(r"\b(static|inline|extern)\b|__attribute__ ?\(\(.*?\)\)", "", head)
    return [" ".join(words.split()).replace("(void)", "()")]


def with_nogil(declaration: str) -> str:
    """A field or a type; if it is a function's pointer, callable without the GIL."""
    return CALLBACK.sub(r"\g<0> noexcept nogil", declaration)


def declarations(command: list[str]) -> str:
    """The text of a .pxd file; ``command`` is that of the compiler."""
    lines = [line for each in statements(preprocessed(command)) for line in declared(each)]
    head = [
        '"""The C interface of fastnet, made from csrc/ by tools/declare_c.py."""',
        "",
        "from libc.stdint cimport *",
        "",
        'cdef extern from "core/plan.h" nogil:',
    ]
    return "\n".join([*head, *(f"    {line}" for line in lines), ""])


def write(command: list[str], folder: str) -> None:
    """Write c_api.pxd into the folder; a file that is up to date keeps its time."""
    path = Path(folder, "c_api.pxd")
    text = declarations(command)
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
