#!/bin/sh
# Print the Python to build with, or say in one line what is missing and how to get it.
# PYTHON=... names one; otherwise it is the first CPython 3.11 or newer that is found.

fail() {
    echo "make: $1" >&2
    exit 1
}

python=
set -- ${PYTHON:+"$PYTHON"}
[ $# -gt 0 ] || set -- python3 python3.13 python3.12 python3.11 python
for candidate in "$@"; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11) or sys.implementation.name != "cpython")' \
        2>/dev/null; then
        python=$candidate
        break
    fi
done

[ -n "$python" ] || [ -z "$PYTHON" ] ||
    fail "PYTHON=$PYTHON is not CPython 3.11 or newer"

[ -n "$python" ] ||
    fail "no CPython 3.11 or newer found: install it (Debian: python3 python3-venv python3-dev), or name one with make PYTHON=..."

"$python" -c 'import venv, ensurepip' 2>/dev/null ||
    fail "$python has no venv module: install it (Debian and Ubuntu: python3-venv)"

"$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' ||
    fail "$python has no C headers: install them (Debian and Ubuntu: python3-dev; Fedora: python3-devel)"

compiler=${CC:-$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("CC") or "cc")')}
# The compiler may come with arguments, "gcc -pthread" for one.
command -v ${compiler%% *} >/dev/null ||
    fail "no C compiler (${compiler%% *}): install gcc or clang (Debian and Ubuntu: gcc; macOS: xcode-select --install)"

echo "$python"
