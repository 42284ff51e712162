"""A shim and an agent as two processes of the real executable, over HTTPS, for the tests with real programs."""
import os
import socket
import subprocess
import tempfile
import time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, process, what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit("%s ended with %s before it listened" % (what, process.returncode))
        with socket.socket() as s:
            s.settimeout(1)
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("%s did not listen on port %d within %d s" % (what, port, seconds))


class Chain:
    """`with Chain(binary, files) as chain`: the shim listens on `chain.port`; user `app`, password `secret`."""

    def __init__(self, binary, files, tls="off", extra="", monitor=None):
        self.binary, self.files, self.tls, self.extra = binary, files, tls, extra
        self.processes = []
        self.folder = tempfile.TemporaryDirectory(prefix="dbtrail-chain-")
        self.port, self.agent_port = free_port(), free_port()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        with open(os.open(self.path(name), os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as f:
            f.write(text)
        return self.path(name)

    def start(self, *arguments):
        log = open(self.path("log"), "ab")
        process = subprocess.Popen([self.binary, *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def __enter__(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-addext", "basicConstraints=critical,CA:FALSE",
             "-keyout", self.path("key.pem"), "-out", self.path("cert.pem")],
            check=True, capture_output=True)
        token = self.write("token", "a-token-of-the-tests\n")
        try:
            self.agent = self.start(
                "agent", "--binlog", *self.files, "--server-id", "x", "--listen", "127.0.0.1:%d" % self.agent_port,
                "--tls-cert", self.path("cert.pem"), "--tls-key", self.path("key.pem"), "--token-file", token)
            wait_for(self.agent_port, self.agent, "the agent")
            config = self.write("shim.yaml", """\
listen: 127.0.0.1:%d
agent_url: https://localhost:%d
agent_tls: {ca_file: %s}
tls: {mode: %s}
tenants:
  - {mysql_user: app, mysql_password: secret, server_id: x, agent_token_file: %s}
%s""" % (self.port, self.agent_port, self.path("cert.pem"),
         self.tls if self.tls == "off" else "%s, cert_file: %s, key_file: %s" % (self.tls, self.path("cert.pem"), self.path("key.pem")),
         token, self.extra))
            self.shim = self.start("--config", config)
            wait_for(self.port, self.shim, "the shim")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        with open(self.path("log"), "rb") as f:
            self.log = f.read().decode("utf-8", "replace")
        self.folder.cleanup()
        if "panicked" in self.log:
            raise SystemExit("a process panicked:\n" + self.log)
