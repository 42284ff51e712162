"""What the tests with real programs share: processes that end with the test, a throw-away certificate, the chain of
agent and shim, database servers, and counting.

Everything listens on loopback, on ports that the system picks, below one temporary folder.
"""
import ctypes
import datetime
import http.client
import ipaddress
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse

import pymysql
import pymysql.converters
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PASSWORD = "s3cret & söhne"
TOKEN = "token-of-the-real-tests"
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def binary():
    """The program under test: DBTRAIL_SHIM, else the newest build."""
    named = os.environ.get("DBTRAIL_SHIM")
    if named:
        return os.path.abspath(named)
    built = [os.path.join(ROOT, "target", profile, "dbtrail-shim") for profile in ("release", "debug")]
    built = [path for path in built if os.path.exists(path)]
    if not built:
        sys.exit("no dbtrail-shim below target/: run `cargo build` first, or set DBTRAIL_SHIM")
    return max(built, key=os.path.getmtime)


def dies_with_us():
    """In the child: the kernel kills it when this script ends, however it ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Counter:
    """Counts verdicts; shows the first few failures of each kind."""

    def __init__(self, name, show=5):
        self.name, self.show = name, show
        self.passed, self.failed, self.shown = 0, 0, {}

    def check(self, ok, what, got=None, want=None):
        if ok:
            self.passed += 1
            return True
        self.failed += 1
        kind = what.split(":")[0]
        self.shown[kind] = self.shown.get(kind, 0) + 1
        if self.shown[kind] <= self.show:
            print("FAIL %s: %s\n   got  %s\n   want %s" % (self.name, what, repr(got)[:700], repr(want)[:700]), flush=True)
        return False

    def equal(self, got, want, what):
        return self.check(got == want, what, got, want)

    def line(self):
        print("%-32s %6d passed, %d failed" % (self.name, self.passed, self.failed), flush=True)
        return self.failed == 0


def finish(counters, least):
    """The closing lines; exit code 1 on a failure, or when less was compared than the test is worth."""
    good = all([c.line() for c in counters])
    total = sum(c.passed for c in counters)
    if total < least:
        print("FAIL only %d checks, at least %d were expected" % (total, least))
        good = False
    sys.exit(0 if good else 1)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def certificates(folder):
    """An authority made on the spot, and a certificate of 127.0.0.1 and localhost signed by it."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def build(name, key, issuer, issuer_key, authority):
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return made.sign(issuer_key, hashes.SHA256())

    def write(name, data):
        path = os.path.join(folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as f:
            f.write(data)
        return path

    pem = serialization.Encoding.PEM
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = build("dbtrail throw-away authority", ca_key, None, ca_key, True)
    leaf = build("dbtrail throw-away server", key, ca.subject, ca_key, False)
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return write("ca.pem", ca.public_bytes(pem)), write("server.pem", leaf.public_bytes(pem)), write("server.key", private)


class Process:
    """A child whose output goes to a file, and that never outlives the test."""

    def __init__(self, arguments, log):
        self.log = log
        self.arguments = arguments
        with open(log, "wb") as out:
            self.child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=dies_with_us)

    def output(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return re.sub(r"\x1b\[[0-9;]*m", "", f.read())

    def wait_for(self, pattern, seconds=60):
        """The match of `pattern` in the output; an error when the process ends first."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            ended = self.child.poll() is not None
            found = re.search(pattern, self.output())
            if found:
                return found
            if ended:
                break
            time.sleep(0.02)
        raise RuntimeError("%s did not say %r:\n%s" % (self.arguments[0], pattern, self.output()[-3000:]))

    def kill(self):
        """SIGKILL: no goodbye."""
        self.child.kill()
        self.child.wait()

    def stop(self, grace=20):
        """SIGTERM, then SIGKILL. Gives the exit code."""
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(grace)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return self.child.returncode


class Agent:
    """The HTTP API of an agent that serves HTTPS with a token."""

    def __init__(self, url, ca):
        self.place = urllib.parse.urlsplit(url).netloc
        self.context = ssl.create_default_context(cafile=ca)

    def call(self, method, path, body=None):
        """Status code and lines of the answer, each read as JSON."""
        connection = http.client.HTTPSConnection(self.place, timeout=60, context=self.context)
        try:
            headers = {"Authorization": "Bearer " + TOKEN}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, [json.loads(line) for line in answer.read().decode().splitlines()]
        finally:
            connection.close()

    def status(self):
        """GET /v1/status; None: nobody answers."""
        try:
            return self.call("GET", "/v1/status")[1][0]
        except OSError:
            return None

    def lines(self, path, body):
        """The lines of a streamed answer between head and trailer, or the code and sentence of the refusal."""
        status, lines = self.call("POST", path, body)
        if status != 200 or not lines[0].get("success"):
            return None, (lines[0].get("code"), lines[0].get("error"))
        assert "end" in lines[-1] and lines[-1]["end"]["rows"] == sum(isinstance(line, list) or "event" in line for line in lines[1:-1]), lines[-1]
        return lines, None

    def wait(self, until, what, seconds=60):
        """The status for which `until` holds."""
        end, status = time.monotonic() + seconds, None
        while time.monotonic() < end:
            status = self.status()
            if status is not None and until(status):
                return status
            time.sleep(0.05)
        raise RuntimeError("not within %d s: %s; the agent says %s" % (seconds, what, json.dumps(status)[:1500]))


class Chain:
    """An agent, by HTTPS with a token, and a shim in front of it: two processes. The agent reads log files, or a running server (`source`)."""

    def __init__(self, binlogs, schema="tt", tls="off", tenants="", source=None, options=(), data=None, server_id="real"):
        self.folder = tempfile.mkdtemp(prefix="dbtrail-real-")
        if source is None:
            self.origin = ["--binlog", *binlogs]
        else:
            self.data = data or os.path.join(self.folder, "history")
            # Without a word of it the agent begins with the log that was there before: backfill.py is about that.
            now = [] if "--backfill" in options else ["--backfill", "none"]
            self.origin = ["--source", source, "--data", self.data, *options, *now]
        self.schema, self.server_id = schema, server_id
        self.processes = []
        try:
            self.start(tls, tenants)
        except BaseException:
            self.close()
            raise

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def start_agent(self):
        """Starts it, the first time or again, and does not wait."""
        self.starts += 1
        self.agent = Process(
            [binary(), "agent", *self.origin, "--server-id", self.server_id, "--listen", self.listen, "--tls-cert", self.certificate,
             "--tls-key", self.key, "--token-file", os.path.join(self.folder, "tokens")],
            os.path.join(self.folder, "agent-%d.log" % self.starts))
        self.processes.append(self.agent)

    def start(self, tls, tenants):
        self.ca, self.certificate, self.key = certificates(self.folder)
        tokens = self.write("tokens", TOKEN + "\n")
        self.listen = "127.0.0.1:0"
        self.starts = 0
        self.start_agent()
        # Log files are read first: of a long test, by a program built without optimization, beside others, that takes minutes.
        address = self.agent.wait_for(r"listens on (https://\S+:\d+)", 600).group(1)
        self.listen = address.partition("//")[2]
        self.api = Agent(address, self.ca)
        self.port = free_port()
        text = """
listen: 127.0.0.1:%d
agent_url: %s
agent_tls:
  ca_file: %s
tls:
  mode: "%s"
  cert_file: %s
  key_file: %s
tenants:
  - mysql_user: app
    mysql_password_file: %s
    server_id: %s
    agent_token_file: %s
    default_schema: %s
  - mysql_user: other
    mysql_password: the-other-password
    server_id: %s
    agent_token: a-wrong-token
    allowed_schemas: [elsewhere]
%sshutdown_grace: 2s
""" % (self.port, address, self.ca, tls, self.certificate, self.key, self.write("app.password", PASSWORD + "\n"), self.server_id, tokens, self.schema,
       self.server_id, tenants)
        self.config = self.write("shim.yaml", text)
        self.shim = Process([binary(), "--config", self.config], os.path.join(self.folder, "shim.log"))
        self.processes.append(self.shim)
        self.shim.wait_for(r"the shim listens")

    def connect(self, **options):
        """A client that hands out the bytes of the text protocol as they are."""
        options = {"user": "app", "password": PASSWORD.encode(), "database": self.schema, "charset": "utf8mb4", "use_unicode": False,
                   "conv": pymysql.converters.encoders, "autocommit": True, "init_command": "SET time_zone = '+00:00'",
                   "read_timeout": 120, **options}
        return pymysql.connect(host="127.0.0.1", port=self.port, **options)

    def close(self):
        for process in reversed(self.processes):
            process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Server:
    """A database server of the test's own, in a temporary folder, that writes a binary log in ROW format."""

    def __init__(self, *options, root=""):
        """`root`: the folder that the programs are installed in, where that is not the machine itself (see servers.py)."""
        self.root, self.options = root, options
        self.folder = tempfile.mkdtemp(prefix="dbtrail-server-", dir=root + "/tmp" if root else None)
        self.inside = self.folder[len(root):]  # as the server sees it
        self.data = os.path.join(self.folder, "data")
        self.server, self.starts = None, 0
        try:
            self.run(self.installing(), "making the data folder")
            self.port = free_port()
            self.start()
            self.prepare()
        except BaseException:
            self.close()
            raise

    def enter(self):
        """What is before a command of the server's own system."""
        return ["chroot", self.root] if self.root else []

    def program(self, name):
        """A server program, which is often not in PATH."""
        return "/usr/sbin/" + name if self.root else shutil.which(name) or "/usr/sbin/" + name

    def run(self, arguments, what):
        made = subprocess.run(self.enter() + arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=180,
                              env={**os.environ, "TMPDIR": self.inside})
        if made.returncode:
            raise RuntimeError("%s: %s" % (what, made.stdout.decode(errors="replace")[-2000:]))

    def start(self, *more):
        """Starts it, the first time or again, with more options, and waits until it is ready."""
        self.starts += 1
        self.server = Process(
            [*self.enter(), *self.serving(), "--datadir=" + self.inside + "/data", "--socket=" + self.inside + "/s",
             "--port=%d" % self.port, "--bind-address=127.0.0.1", "--user=root", "--log-bin=log", "--server-id=7",
             "--pid-file=" + self.inside + "/pid", "--tmpdir=" + self.inside, "--binlog-row-image=FULL",
             "--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M", *self.options, *more],
            os.path.join(self.folder, "server-%d.log" % self.starts))
        self.server.wait_for(r"ready for connections[\s\S]*port: %d" % self.port, 120)

    def prepare(self):
        """What is left to do once it runs."""

    def connect(self):
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", charset="utf8mb4", use_unicode=False,
                               conv=pymysql.converters.encoders, autocommit=True, max_allowed_packet=64 << 20,
                               init_command="SET time_zone = '+00:00', sql_mode = ''")

    def binlogs(self):
        return sorted(os.path.join(self.data, n) for n in os.listdir(self.data) if re.fullmatch(r"log\.\d{6}", n))

    def close(self):
        if self.server:
            self.server.stop(60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class MariaDb(Server):
    """MariaDB; without `root` the one that is installed on this machine, with row metadata FULL. Else as it is shipped."""

    flavor = "mariadb"
    gtid = "gtid_binlog_pos"  # the variable with the GTIDs of the log

    def installing(self):
        return ["mariadb-install-db", "--no-defaults", "--datadir=" + self.inside + "/data", "--auth-root-authentication-method=normal",
                "--skip-test-db", "--user=root", "--force"]

    def serving(self):
        return [self.program("mariadbd"), "--no-defaults", "--binlog-format=ROW", *([] if self.root else ["--binlog-row-metadata=FULL"])]


class MySql(Server):
    """MySQL, with GTIDs; all else is as it comes."""

    flavor = "mysql"
    gtid = "gtid_executed"

    def installing(self):
        return [self.program("mysqld"), "--no-defaults", "--initialize-insecure", "--datadir=" + self.inside + "/data", "--user=root",
                # It cannot be changed later.
                *(o for o in self.options if o.startswith("--lower-case-table-names"))]

    def serving(self):
        return [self.program("mysqld"), "--no-defaults", "--mysqlx=OFF", "--secure-file-priv=", "--gtid-mode=ON", "--enforce-gtid-consistency=ON"]


def cell(value):
    """A cell as the recordings write it: text, None, or {"hex"} where the bytes are not UTF-8."""
    if value is None:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"hex": value.hex()}


def raw(value):
    """The bytes of such a cell."""
    if value is None:
        return None
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value.encode()


def ask(cursor, sql):
    """Column names and rows of a statement, as bytes."""
    cursor.execute(sql)
    names = [d[0] if isinstance(d[0], str) else d[0].decode() for d in cursor.description]
    return names, [list(row) for row in cursor.fetchall()]
