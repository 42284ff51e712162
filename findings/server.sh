# Sourced by the findings: a MySQL or MariaDB of a release of Debian in a temporary folder, that ends with the script.

set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "debootstrap and chroot need root" >&2; exit 1; }
work=$(mktemp -d)
debian=
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    [ -z "$debian" ] || rm -rf "$debian$work"
    rm -rf "$work"
}
trap finish EXIT

# install RELEASE PACKAGE...: sets `debian` to a folder with these packages.
install() {
    debian=${FINDINGS_DEBIAN:-$work/debian}
    if [ -z "${FINDINGS_DEBIAN:-}" ]; then
        debootstrap --variant=minbase "$1" "$debian" >"$work/debootstrap.log" 2>&1 || { tail "$work/debootstrap.log"; exit 1; }
        printf '#!/bin/sh\nexit 101\n' >"$debian/usr/sbin/policy-rc.d"
        chmod +x "$debian/usr/sbin/policy-rc.d"
        DEBIAN_FRONTEND=noninteractive chroot "$debian" apt-get install -y -q --no-install-recommends "${@:2}" >"$work/apt.log" 2>&1 ||
            { tail "$work/apt.log"; exit 1; }
    fi
    mkdir -p "$debian$work"
}

# version PROGRAM EXPECTED: stops when this is not the release that the finding is of.
version() {
    local seen
    seen=$(chroot "$debian" "$1" --version)
    echo "$seen"
    [[ $seen == *"$2"* ]] || { echo "this finding is of $2: look at it again with this release" >&2; exit 1; }
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# start mysqld|mariadbd OPTION...: starts the server, with an empty data folder if there is none; `port` is where it listens.
start() {
    port=$(free_port)
    local common=(--no-defaults --datadir="$work/data" --user=root)
    if [ "$1" = mysqld ]; then
        [ -e "$debian$work/data" ] ||
            chroot "$debian" /usr/sbin/mysqld "${common[@]}" --initialize-insecure --log-error="$work/init.log"
        common+=(--mysqlx=OFF)
    else
        common+=(--binlog-format=ROW)
        [ -e "$debian$work/data" ] ||
            chroot "$debian" mariadb-install-db --force "${common[@]}" --auth-root-authentication-method=normal --skip-test-db >"$work/init.log" 2>&1 ||
            { tail "$work/init.log"; exit 1; }
    fi
    chroot "$debian" "/usr/sbin/$1" "${common[@]}" --port="$port" --bind-address=127.0.0.1 --socket="$work/socket" --pid-file="$work/pid" \
        --tmpdir="$work" --log-bin=binlog --server-id=1 --secure-file-priv= "${@:2}" >"$work/server.log" 2>&1 &
    server=$!
    for _ in $(seq 300); do
        sql 'DO 1' >/dev/null 2>&1 && return
        sleep 0.1
    done
    tail "$work/server.log" "$debian$work"/*.log
    exit 1
}

# sql TEXT: runs it as root, and prints rows without headings, errors to stderr.
sql() {
    local program=mysql
    [ ! -e "$debian/usr/bin/mariadb" ] || program=mariadb
    chroot "$debian" "$program" --no-defaults --socket="$work/socket" -uroot --default-character-set=utf8mb4 -N -B -e "$1"
}

# same WHAT EXPECTED SEEN: prints both, and stops when they differ.
same() {
    echo "$1: $3"
    [ "$2" = "$3" ] || { echo "changed: it was: $2" >&2; exit 1; }
}
