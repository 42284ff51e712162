#!/usr/bin/env python3
"""Servers of other releases than the one that this machine has: MariaDB as Debian 13 ships it, and the MySQL of Debian sid.

    servers.py                          # installs all of them that are not there yet
    servers.py mysql mariadb-11.8       # these

Each is a small Debian of its own below target/servers, made by debootstrap and kept; the servers run in it by chroot(8), so all this
needs root. DBTRAIL_SERVERS names another folder to keep them in.

    with servers.start("mysql", "--binlog-row-metadata=FULL") as server: ...
"""
import contextlib
import fcntl
import os
import shutil
import subprocess
import sys

from harness import ROOT, MariaDb, MySql

FOLDER = os.environ.get("DBTRAIL_SERVERS") or os.path.join(ROOT, "target", "servers")
# Kind: class, release of Debian (None: what this machine has), package, the release of the server that is meant.
KINDS = {
    "mariadb": (MariaDb, None, "mariadb-server", None),
    "mariadb-11.8": (MariaDb, "trixie", "mariadb-server", "11.8"),
    "mysql": (MySql, "sid", "mysql-server-core", "9."),
}


def complete(folder):
    """The file that is written last: without it the folder is what a broken attempt left."""
    return os.path.join(folder, "etc", "dbtrail-complete")


def install(kind):
    """The folder in which the programs of this kind are installed, made when it is not there; "" for this machine."""
    family, release, package, version = KINDS[kind]
    if release is None:
        return ""
    folder = os.path.join(FOLDER, release)
    os.makedirs(FOLDER, exist_ok=True)
    with open(os.path.join(FOLDER, release + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(complete(folder)):
            if os.geteuid() != 0 or not shutil.which("debootstrap"):
                sys.exit("%s needs root and debootstrap, to install it below %s" % (kind, FOLDER))
            print("installing %s (%s of Debian %s) in %s" % (kind, package, release, folder), flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            run(["debootstrap", "--variant=minbase", release, folder], folder)
            # No service may start while packages are installed.
            with open(os.open(os.path.join(folder, "usr/sbin/policy-rc.d"), os.O_CREAT | os.O_WRONLY, 0o755), "w") as f:
                f.write("#!/bin/sh\nexit 101\n")
            run(["chroot", folder, "apt-get", "install", "-y", "-q", "--no-install-recommends", package], folder)
            run(["chroot", folder, "apt-get", "clean"], folder)
            program = "mysqld" if family is MySql else "mariadbd"
            said = subprocess.run(["chroot", folder, "/usr/sbin/" + program, "--version"], capture_output=True, text=True, check=True).stdout
            if version not in said:
                sys.exit("Debian %s has another %s by now than %s: %s" % (release, program, version, said))
            with open(complete(folder), "w", encoding="utf-8") as f:
                f.write(said)
    return os.path.realpath(folder)


def run(command, folder):
    """A step of installing, with its output where it failed only."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1200,
                          env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if done.returncode:
        sys.exit("%s failed:\n%s" % (" ".join(command), done.stdout.decode(errors="replace")[-3000:]))


@contextlib.contextmanager
def start(kind, *options):
    """A running server of this kind, with these options, that ends with the block."""
    with KINDS[kind][0](*options, root=install(kind)) as server:
        yield server


def chosen(default):
    """What `--server KIND` says, and the options of that server after `--`; without it MariaDB and the options of `default`."""
    if "--server" not in sys.argv:
        return "mariadb", default
    kind = sys.argv[sys.argv.index("--server") + 1]
    if kind not in KINDS:
        sys.exit("--server is one of " + ", ".join(KINDS))
    return kind, sys.argv[sys.argv.index("--") + 1:] if "--" in sys.argv else []


if __name__ == "__main__":
    for one in sys.argv[1:] or KINDS:
        install(one)
