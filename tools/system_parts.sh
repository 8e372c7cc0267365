#!/bin/sh
# Makes sure that system parts are there. As root it installs what is missing with
# apt-get; otherwise it says the exact command and stops.
#
#   system_parts.sh PROGRAM:PACKAGE ...     programs (or files) and the Debian packages they are in
#   system_parts.sh --venv PYTHON           that this Python is 3.11+ and can make a venv
set -eu

PATH=$PATH:/usr/sbin:/sbin  # not everyone's PATH has them
packages=

if [ "${1:-}" = --venv ]; then
    python=$2
    command -v "$python" >/dev/null 2>&1 || packages="python3 python3-venv"
    if [ -z "$packages" ]; then
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
            echo "recorder-sync needs Python 3.11 or later; '$python' is older." >&2
            echo "Name another one: make PYTHON=python3.12 ..." >&2
            exit 3
        }
        "$python" -c 'import venv, ensurepip' 2>/dev/null || packages="python3-venv"
    fi
else
    for part in "$@"; do
        command -v "${part%%:*}" >/dev/null 2>&1 || [ -e "${part%%:*}" ] || packages="$packages ${part##*:}"
    done
fi

[ -n "$packages" ] || exit 0

# shellcheck disable=SC2086  # a list of package names
packages=$(printf '%s\n' $packages | sort -u | tr '\n' ' ')
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing: $packages" >&2
    DEBIAN_FRONTEND=noninteractive apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
else
    echo "Missing: $packages" >&2
    echo "Install with: sudo apt-get install -y $packages" >&2
    exit 3
fi
