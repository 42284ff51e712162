"""An HTTP proxy on loopback in front of an object store that makes faults: what stands between an agent and a bucket."""
import random
import socket
import threading
import time


def read_until(connection, data, end):
    while end not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    return data


class FaultyProxy:
    """Passes each request on, on a connection of its own, but for the fault that `mode` names."""

    MODES = ("stopped", "errors", "slow", "cut", "mute", "some")

    def __init__(self, to, seed):
        self.to, self.r, self.mode = to, random.Random(seed), None
        self.faults = {mode: 0 for mode in self.MODES}
        self.requests = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.url = "http://127.0.0.1:%d" % self.port
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            with connection:
                connection.settimeout(120)
                self.one(connection)
        except OSError:
            pass

    def one(self, connection):
        if self.mode == "stopped":
            self.faults["stopped"] += 1
            return
        data = read_until(connection, b"", b"\r\n\r\n")
        if data is None:
            return
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        fields = {line.partition(b":")[0].strip().lower(): line.partition(b":")[2].strip() for line in lines[1:]}
        if fields.get(b"expect"):
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(fields.get(b"content-length", b"0"))
        while len(body) < length:
            more = connection.recv(65536)
            if not more:
                return
            body += more
        self.requests += 1
        # A fault of its own for each request.
        mode = self.r.choice(("errors", "slow", "cut", "mute", None, None)) if self.mode == "some" else self.mode
        uploads = lines[0].startswith((b"PUT", b"POST"))
        if mode in ("errors", "stopped"):
            self.faults[mode] += 1
            connection.sendall(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        if mode == "slow":
            self.faults[mode] += 1
            time.sleep(0.5 + 2.5 * self.r.random())
        kept = [line for line in lines if not line.lower().startswith((b"connection:", b"expect:"))]
        with socket.create_connection(self.to, timeout=120) as there:
            if mode == "cut" and uploads and length:
                # The half of it, and nobody is there any more.
                self.faults[mode] += 1
                there.sendall(b"\r\n".join([*kept, b"Connection: close", b"", b""]) + body[:length // 2])
                return
            there.sendall(b"\r\n".join([*kept, b"Connection: close", b"", b""]) + body)
            if mode == "mute" and uploads:
                # It is carried out, and the answer gets lost.
                self.faults[mode] += 1
                while there.recv(65536):
                    pass
                return
            answered = False
            while True:
                more = there.recv(65536)
                if not more:
                    return
                if not answered:
                    # What comes next on this connection would not be answered: one request each.
                    status, _, rest = more.partition(b"\r\n")
                    if b"\r\nconnection:" not in more.lower():
                        more = status + b"\r\nConnection: close\r\n" + rest
                    answered = True
                connection.sendall(more)

    def close(self):
        self.listener.close()
