# Sourced by `run` and `history`: installs what the bench needs, and sets `here` (this folder) and `venv` (its Python).
cd "$(dirname "${BASH_SOURCE[0]}")"
here=$PWD
cd - >/dev/null

missing=()
needs() { # COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}
needs sqlite3 sqlite3
needs zstd zstd
needs restic restic
needs borg borgbackup
needs b3sum b3sum
needs /usr/bin/time time
needs cc build-essential
needs python3 python3
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" -ne 0 ]; then
        echo "tests/bench: missing, and only root can install it: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    echo "tests/bench: installing ${missing[*]}" >&2
    log=$(mktemp)
    if ! {
        apt-get update -qq </dev/null &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
    } >"$log" 2>&1; then
        cat "$log" >&2
        exit 1
    fi
    rm -f "$log"
fi

venv=$here/../../target/bench/venv
if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
    rm -rf "$venv"
    mkdir -p "$(dirname "$venv")"
    python3 -m venv "$venv"
    pins=$here/requirements.txt
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$pins" </dev/null
    cp "$pins" "$venv/installed.txt"
fi
export PYTHONDONTWRITEBYTECODE=1
