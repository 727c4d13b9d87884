#!/usr/bin/env bash
# Sets one machine up: names what is missing with the line that installs it, installs it where the user is
# root on Debian, then makes the Python environment and the npm tools. Running it again costs seconds.
set -euo pipefail
cd "$(dirname "$0")/../.."

VENV=.venv
PYTHON=${PYTHON:-}

apt_install() {
    # Installing is done for root on Debian alone; anybody else is told the line.
    if [ "$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then
        echo "  installing $1 ..."
        [ -n "${APT_UPDATED:-}" ] || { apt-get update -qq; APT_UPDATED=1; }
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null
    else
        MISSING="${MISSING:-}\n  $2: sudo apt-get install -y $1"
    fi
}

at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

has_mosquitto() {
    # It prints its version with its help.
    command -v mosquitto >/dev/null &&
        at_least 2 "$(mosquitto -h 2>&1 | sed -n 's/.*version \([0-9.]*\).*/\1/p' | head -n 1)"
}

find_python() {
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

MISSING=""
command -v git >/dev/null || apt_install git "git"
if ! { command -v npm >/dev/null && at_least 20 "$(node --version | tr -d v)"; }; then
    # Debian 12 has Node 18; what it offers is installed only where it is new enough. Others have no apt-cache.
    offered=$({ apt-cache policy nodejs 2>/dev/null || true; } | sed -n 's/ *Candidate: //p')
    if at_least 20 "${offered:-0}"; then
        apt_install nodejs "Node 20 or later"
        apt_install npm "npm"
    else
        MISSING="$MISSING\n  Node 20 or later with npm: https://nodejs.org/en/download"
    fi
fi
{ command -v javac >/dev/null && at_least 17 "$(javac -version 2>&1 | tr -dc '0-9.')"; } ||
    apt_install default-jdk-headless "JDK 17 or later"
PATH="$PATH:/usr/sbin:/usr/local/sbin"
has_mosquitto || apt_install mosquitto "mosquitto 2"
if [ -z "$(find_python)" ]; then
    apt_install python3-venv "Python 3.11 to 3.13 with venv"
    [ -n "$(find_python)" ] || [[ "$MISSING" = *Python* ]] ||
        MISSING="$MISSING\n  Python 3.11 to 3.13 with venv: https://www.python.org/downloads"
fi
PYTHON=$(find_python)
if [ -n "$MISSING" ]; then
    printf 'This machine lacks:%b\n' "$MISSING" >&2
    exit 1
fi

# A stamp spares the installers when nothing they read has changed.
stamp=$(cat pyproject.toml constraints.txt package-lock.json infra/local/setup.sh | sha256sum | cut -d' ' -f1)
if [ "$(cat $VENV/.setup-stamp 2>/dev/null)" != "$stamp" ]; then
    echo "Python packages ($("$PYTHON" --version)) ..."
    [ -x $VENV/bin/pip ] || "$PYTHON" -m venv $VENV
    $VENV/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[functions,edge,local,infra,dev]'
    # Only its data file is used; what it imports (pvlib, SciPy, scikit-learn ...) would be 400 MB more.
    $VENV/bin/pip install --quiet --disable-pip-version-check --no-deps pvanalytics==0.2.2
    echo "npm tools (Move compiler and VM, DynamoDB Local, CDK) ..."
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    echo "$stamp" > $VENV/.setup-stamp
fi
