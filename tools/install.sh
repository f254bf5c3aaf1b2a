#!/bin/sh
# Install with pip and show a line for each step of a minute of building; all that pip said follows
# if it fails.
#
# install.sh PIP REQUIREMENT

log=$(mktemp) && trap 'rm -f "$log"' EXIT
export PYTHONUNBUFFERED=1 # so that the steps are shown as they begin

{ "$1" install --verbose --progress-bar off "$2" 2>&1 || echo "install.sh: failed"; } | tee "$log" | awk '
    function show(text) { if (text != last) print "  " text; last = text; fflush() }
    /^ *Installing build dependencies/ { show("installing what the build needs") }
    /^ *Collecting /                   { show("installing " $2) }
    /^ *Building wheel for /           { show("building " $4) }
    /Cythonizing /                     { show("translating " $NF " to C") }
    /^ *(compiling|compiled) /         { $1 = $1; show($0) }
    /^ *building .* extension/         { show("compiling the module " $2) }
    /^ *Successfully installed/        { $1 = "installed"; $2 = ""; show($0) }
'

if tail -n 1 "$log" | grep -q "^install.sh: failed"; then
    sed '$d' "$log" >&2
    exit 1
fi
