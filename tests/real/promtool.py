#!/usr/bin/env python3
"""Prometheus' own tool on what shim and agent export while they capture and answer, on the alert rules of deploy/, and on when each of them fires
(alerts_test.yaml).

`.ci/run install` unpacks promtool alone from Debian's package below target/clients; PROMTOOL names another one.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request

import pymysql

from harness import ROOT, TOKEN, Chain, Counter, MariaDb, ask, finish

HERE = os.path.dirname(os.path.abspath(__file__))
ALERTS = os.path.join(ROOT, "deploy", "prometheus-alerts.yaml")


def promtool():
    ours = os.path.join(ROOT, "target", "clients", "promtool")
    found = os.environ.get("PROMTOOL") or (ours if os.path.exists(ours) else shutil.which("promtool"))
    return found or sys.exit("no promtool: run `.ci/run install`, or set PROMTOOL")


def run(*arguments, **options):
    done = subprocess.run([promtool(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, **options)
    return done.returncode, done.stdout.decode()


def exported(chain):
    """What the agent and the shim export, after statements of several outcomes."""
    with chain.connect() as client:
        cursor = client.cursor()
        for statement in ("SELECT * FROM _snapshot.l.t AS OF LATEST WHERE id = 1", "SELECT 1", "SELECT * FROM _flashback.l.t AS OF LATEST"):
            try:
                ask(cursor, statement)
            except pymysql.MySQLError:
                pass
    page = chain.shim.wait_for(r"health and metrics are shown by http\S* .*?(127\.0\.0\.1:\d+)").group(1)
    yield "shim", urllib.request.urlopen("http://%s/metrics" % page, timeout=20).read()
    request = urllib.request.Request("https://%s/metrics" % chain.api.place, headers={"Authorization": "Bearer " + TOKEN})
    yield "agent", urllib.request.urlopen(request, timeout=20, context=chain.api.context).read()


def main():
    counter = Counter("promtool")
    with MariaDb() as server:
        cursor = server.connect().cursor()
        for statement in ("CREATE DATABASE l", "CREATE TABLE l.t (id INT NOT NULL PRIMARY KEY, v INT)", "INSERT INTO l.t VALUES (1, 1)"):
            cursor.execute(statement)
        with Chain((), schema="l", source="mysql://root@127.0.0.1:%d" % server.port, tenants="http: {listen: 127.0.0.1:0}\n") as chain:
            chain.api.wait(lambda s: s["connected"], "it captures")
            for half, text in exported(chain):
                counter.check(text.count(b"# HELP") > 8, half + ": it exports", text[:300])
                counter.equal(run("check", "metrics", input=text), (0, ""), half + ": check metrics")
    code, said = run("check", "rules", "--lint-fatal", ALERTS)
    counter.check(code == 0 and "SUCCESS" in said, "check rules", said)
    folder = tempfile.mkdtemp(prefix="dbtrail-alerts-")
    try:
        for path in (ALERTS, os.path.join(HERE, "alerts_test.yaml")):
            shutil.copy(path, folder)
        code, said = run("test", "rules", "alerts_test.yaml", cwd=folder)
    finally:
        shutil.rmtree(folder)
    counter.check(code == 0 and "SUCCESS" in said, "test rules", said)
    # Every alert is tested to fire.
    names = [line.split(":")[1].strip() for line in open(ALERTS, encoding="utf-8") if line.strip().startswith("- alert:")]
    tests = open(os.path.join(HERE, "alerts_test.yaml"), encoding="utf-8").read()
    for name in names:
        counter.check('alertname="%s"' % name in tests, "an alert that is not tested: " + name)
    finish([counter], 6 + len(names))


if __name__ == "__main__":
    main()
