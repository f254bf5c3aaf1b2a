#!/bin/sh
# Install with pip, and show a line for each step of the build, which takes a minute. If it fails, all
# of pip's output follows.
#
# install.sh PIP REQUIREMENT

log=$(mktemp) && trap 'rm -f "$log"' EXIT
export PYTHONUNBUFFERED=1 # so that the steps are shown as they begin

steps() {
    while read -r line; do # without the spaces at its start
        case $line in
            "Installing build dependencies"*started) echo "  installing what the build needs" ;;
            "Collecting "*) set -f && set -- $line && echo "  installing $2" ;;
            "Building wheel for "*started) echo "  building the package" ;;
            *Cythonizing*) echo "  translating ${line##* } to C" ;;
            compiling\ * | compiled\ *) echo "  $line" ;;
            building\ *\ extension) echo "  compiling the module between Python and C" ;;
            "Successfully installed "*) echo "  installed ${line#Successfully installed }" ;;
        esac
    done
}

{ "$1" install --verbose --progress-bar off "$2" 2>&1 || echo "install.sh: failed"; } |
    tee "$log" | steps

if tail -n 1 "$log" | grep -q "^install.sh: failed"; then
    sed '$d' "$log" >&2
    exit 1
fi
