# Sourced by ./optconsole, ./test and scripts/*: which Python, which environment, is it ready. Needs $root.
# OPTCONSOLE_PYTHON names the interpreter to build with, OPTCONSOLE_VENV another place for the environment.

unset PYTHONHOME # would point the environment's interpreter at another Python's library
case $root in /*) ;; *) root=$PWD/$root ;; esac
venv=${OPTCONSOLE_VENV:-$root/.venv}
case $venv in /*) ;; *) venv=$PWD/$venv ;; esac

# The lock was installed here exactly as it is now. This runs at every start: one process, a millisecond.
ready() {
    [ -x "$venv/bin/python" ] && [ ! "$root/pyproject.toml" -nt "$venv/$1" ] && cmp -s "$root/$1" "$venv/$1"
}

prepare() {
    find_python
    "$python" "$root/scripts/prepare.py" "$root" "$venv" "$1"
}

# Sets $python: the newest that can make environments by itself, else the newest that is recent enough.
find_python() {
    python=
    for check in 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
        'import sys; sys.exit(sys.version_info < (3, 11))'; do
        for candidate in ${OPTCONSOLE_PYTHON:-python3.13 python3.12 python3.11 python3}; do
            # run it: a name on the PATH may be a shim of a version that is not there
            if "$candidate" -c "$check" >/dev/null 2>&1; then
                python=$candidate
                return
            fi
        done
    done
    echo "optconsole: no Python 3.11 or newer found as ${OPTCONSOLE_PYTHON:-python3.13, python3.12, python3.11 or python3};" \
        "install one, or name it: OPTCONSOLE_PYTHON=/path/to/python3 $0" >&2
    exit 1
}
