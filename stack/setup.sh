#!/bin/sh
# Make this clone ready to run: a Python environment in .venv and the web's packages, both exactly as locked.
# `make` calls it before anything else; when nothing changed it costs a few milliseconds.
#   stack/setup.sh            everything
#   stack/setup.sh python     only the Python environment
set -eu
cd "$(dirname "$0")/.."
ROOMS="contract client edge realtime simulator backend stack prove"
OLDEST_MINOR=12
OLDEST_NODE=20

say() { printf '  %s\n' "$*"; }
fail() { printf '\n%s\n' "$*" >&2; exit 1; }
now() { date +%s; }

# --- Python -----------------------------------------------------------------------------------------------------

# An interpreter counts only when it runs, is new enough and has what we need (a pyenv shim or a half package may not).
works() {
    "$1" -c "import sys, ssl, sqlite3, ctypes, venv
raise SystemExit(not ((3, $OLDEST_MINOR) <= sys.version_info < (3, 15)))" >/dev/null 2>&1
}

find_python() {
    if [ -n "${EMS_PYTHON:-}" ]; then
        works "$EMS_PYTHON" || fail "EMS_PYTHON=$EMS_PYTHON does not run as Python 3.$OLDEST_MINOR or newer with ssl, sqlite3 and venv; unset it or name another"
        echo "$EMS_PYTHON"
        return
    fi
    for candidate in python3.13 python3.14 python3.12 python3; do
        found=$(command -v "$candidate" 2>/dev/null) && works "$found" && { echo "$found"; return; }
    done
    for root in "${PYENV_ROOT:-}" "$HOME/.pyenv"; do
        for minor in 13 14 12; do
            for candidate in "$root"/versions/3."$minor".*/bin/python3; do
                [ -x "$candidate" ] && works "$candidate" && { echo "$candidate"; return; }
            done
        done
    done
    if command -v uv >/dev/null 2>&1; then
        uv python install --quiet 3.13 >&2 && uv python find 3.13 && return
    fi
    return 0
}

# uv does not read pip's settings; a machine behind a mirror often has only those.
adopt_pip_settings() {
    index=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)}
    extra=${PIP_EXTRA_INDEX_URL:-$(.venv/bin/python -m pip config get global.extra-index-url 2>/dev/null || true)}
    cert=${PIP_CERT:-$(.venv/bin/python -m pip config get global.cert 2>/dev/null || true)}
    [ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
    # pip looks at all indexes alike; the hashes in the locks make that safe.
    [ -z "$extra" ] || export UV_INDEX="${UV_INDEX:-$extra}" UV_INDEX_STRATEGY="${UV_INDEX_STRATEGY:-unsafe-best-match}"
    [ -z "$cert" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$cert}"
    [ -z "${PIP_FIND_LINKS:-}" ] || export UV_FIND_LINKS="${UV_FIND_LINKS:-$PIP_FIND_LINKS}"
    [ -z "${PIP_TRUSTED_HOST:-}" ] || export UV_INSECURE_HOST="${UV_INSECURE_HOST:-$PIP_TRUSTED_HOST}"
    [ -z "${PIP_CACHE_DIR:-}" ] || export UV_CACHE_DIR="${UV_CACHE_DIR:-$PIP_CACHE_DIR/uv}"
    [ -z "${PIP_NO_CACHE_DIR:-}" ] || export UV_NO_CACHE="${UV_NO_CACHE:-1}"
    export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-${PIP_DEFAULT_TIMEOUT:-60}}"
}

install_python() {
    stamp=.venv/.ems-stamp
    want=$(cat requirements/dev.txt requirements/bootstrap.txt $(printf '%s/pyproject.toml ' $ROOMS) stack/setup.sh | cksum)" $PWD"
    [ -x .venv/bin/python ] && [ "$(cat $stamp 2>/dev/null)" = "$want" ] && return
    started=$(now)
    python=$(find_python)
    [ -n "$python" ] || fail "No Python 3.$OLDEST_MINOR or newer was found (looked for python3.14, 3.13, 3.12 on the PATH, in pyenv and with uv).
Install one, for example:
  Debian 13, Ubuntu 24.04   apt-get install python3 python3-venv
  macOS                     brew install python@3.13
  anywhere                  pyenv install 3.13, or uv python install 3.13
or name one: EMS_PYTHON=/path/to/python3.13 make up"
    say "Python environment with $("$python" --version) ..."
    # A clone that was moved, or an interpreter that went away, leaves an environment that does not run.
    works .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1 || rm -rf .venv
    if [ ! -d .venv ]; then
        "$python" -m venv .venv >/dev/null 2>&1 || fail "$python cannot make a virtual environment.
On Debian and Ubuntu: apt-get install python3-venv"
    fi
    rm -f $stamp
    .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
    adopt_pip_settings
    editable=$(printf -- '-e ./%s ' $ROOMS)
    # uv is fast; pip is the way out where uv does not get through (a proxy, an unusual certificate).
    if ! env VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip install --quiet --require-hashes -r requirements/dev.txt; then
        say "uv did not get through; using pip ..."
        .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.txt
    fi
    # shellcheck disable=SC2086 # one word for each room
    env VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip install --quiet --offline --no-deps --no-build-isolation $editable
    echo "$want" >$stamp
    say "Python environment ready ($(($(now) - started)) s)"
}

# --- Web --------------------------------------------------------------------------------------------------------

check_node() {
    version=$(node --version 2>/dev/null) || fail "Node.js was not found; version $OLDEST_NODE or newer is needed.
  Debian 13, Ubuntu 25.04   apt-get install nodejs npm
  macOS                     brew install node
  elsewhere                 see nodejs.org/download"
    major=${version#v}
    [ "${major%%.*}" -ge $OLDEST_NODE ] || fail "Node.js $version is too old; version $OLDEST_NODE or newer is needed."
    command -v npm >/dev/null || fail "npm was not found; on Debian and Ubuntu: apt-get install npm"
}

install_web() {
    [ -f web/package-lock.json ] || return 0
    stamp=web/node_modules/.ems-stamp
    want=$(cat web/package.json web/package-lock.json | cksum)
    [ "$(cat $stamp 2>/dev/null)" = "$want" ] && return
    started=$(now)
    check_node
    say "Web packages ..."
    (cd web && npm ci --no-audit --no-fund --loglevel=error >/dev/null)
    echo "$want" >$stamp
    say "Web packages ready ($(($(now) - started)) s)"
}

case "${1:-all}" in
python) install_python ;;
web) install_web ;;
all)
    # Two downloads at once: on a cold cache they take about the same time.
    install_web &
    web=$!
    install_python || { kill $web 2>/dev/null; exit 1; }
    wait $web
    ;;
*) fail "stack/setup.sh knows the words python, web and all, not '$1'" ;;
esac
