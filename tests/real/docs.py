#!/usr/bin/env python3
"""The statements of the papers that are for a MySQL or a MariaDB: the account that docs/agent.md creates is enough for the preflight."""
import os
import re
import subprocess
import tempfile

import servers
from harness import ROOT, Counter, binary, finish


def blocks(kind):
    """The statements after ```sql mysql or ```sql mariadb of all papers."""
    found = []
    for folder in ("", "docs"):
        for name in sorted(os.listdir(os.path.join(ROOT, folder))):
            if name.endswith(".md"):
                with open(os.path.join(ROOT, folder, name), encoding="utf-8") as f:
                    for block in re.findall(r"^```sql %s\n(.*?)^```" % kind, f.read(), re.M | re.S):
                        found += [s.strip() for s in block.split(";\n") if s.strip()]
    return found


def main():
    counters = []
    for kind, (family, *_) in servers.KINDS.items():
        counters.append(Counter("the account on " + kind))
        with servers.start(kind) as server, tempfile.TemporaryDirectory() as folder:
            cursor = server.connect().cursor()
            for sql in ("CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"):
                cursor.execute(sql)
            for statement in blocks(family.flavor):
                cursor.execute(statement)
            said = subprocess.run(
                [binary(), "agent", "--source", "mysql://dbtrail@127.0.0.1:%d" % server.port, "--data", folder, "--server-id", "s", "--preflight-only"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, env={**os.environ, "DBTRAIL_SOURCE_PASSWORD": "secret"})
            text = said.stdout.decode(errors="replace")
            counters[-1].equal(said.returncode, 0, "preflight: " + text)
            counters[-1].check("account" not in text and "GRANT" not in text, "nothing is missing", text)
    finish(counters, 2 * len(servers.KINDS))


if __name__ == "__main__":
    main()
