"""A MariaDB of its own in a temporary folder, on loopback."""
import os
import subprocess
import tempfile

from chain import free_port, wait_for


class MariaDb:
    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory(prefix="dbtrail-mariadb-")
        self.data = os.path.join(self.folder.name, "data")
        self.options = options
        self.port = free_port()

    def __enter__(self):
        user = ["--user=root"] if os.getuid() == 0 else []
        subprocess.run(["mariadb-install-db", "--no-defaults", *user, "--datadir=" + self.data, "--skip-test-db",
                        "--auth-root-authentication-method=normal"], check=True, capture_output=True)
        self.process = subprocess.Popen(
            ["mariadbd", "--no-defaults", *user, "--datadir=" + self.data, "--socket=" + os.path.join(self.folder.name, "s"),
             "--port=%d" % self.port, "--bind-address=127.0.0.1", "--server-id=10", "--log-bin=binlog", "--binlog-format=ROW",
             "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve", *self.options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.port, self.process, "mariadbd")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()
