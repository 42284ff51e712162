#!/usr/bin/env python3
"""The reading half of capturing against a MariaDB server of our own: tests/real/source, a Rust program that is reported where it runs.

Events byte for byte as in the server's files, starts under load, gaps, reconnects, GTIDs of another server, the clock, cells read from
tables against those of the log. Against another server: set DBTRAIL_SOURCE_URL and DBTRAIL_SOURCE_LOGS, and
`cargo test --test source -- --test-threads=1`.
"""
import os
import subprocess
import sys

from harness import ROOT, MariaDb, dies_with_us


def main():
    with MariaDb("--max-allowed-packet=64M") as server:
        env = dict(os.environ, DBTRAIL_SOURCE_URL="mysql://root@127.0.0.1:%d" % server.port, DBTRAIL_SOURCE_LOGS=server.data)
        command = ["cargo", "test", "--locked", "--test", "source", "--", "--test-threads=1"]
        sys.exit(subprocess.run(command, cwd=ROOT, env=env, preexec_fn=dies_with_us, timeout=280).returncode)


if __name__ == "__main__":
    main()
