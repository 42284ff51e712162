"""Object stores on loopback: S3 by moto, Azure Blob Storage by Azurite, and what Google's client asks, translated for moto."""
import base64
import hashlib
import hmac
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from harness import dies_with_us, free_port

BUCKET = "history"
KEYS = {"AWS_ACCESS_KEY_ID": "a-key-id", "AWS_SECRET_ACCESS_KEY": "never-to-be-printed", "AWS_REGION": "us-east-1"}


def listening(process, port, log):
    """Waits until somebody listens there."""
    end = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end or process.poll() is not None:
                log.seek(0)
                raise RuntimeError("the object store does not start: %s" % log.read()[-2000:])
            time.sleep(0.1)


class Store:
    """An object store on loopback, in memory; in it the bucket."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Moto(Store):
    """S3."""

    data, secret = "s3://%s/of/" % BUCKET, KEYS["AWS_SECRET_ACCESS_KEY"]

    def __init__(self):
        self.port = free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        code = "from moto.server import main; main(['-H', '127.0.0.1', '-p', '%d'])" % self.port
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([sys.executable, "-c", code], stdout=self.log, stderr=subprocess.STDOUT, preexec_fn=dies_with_us)
        listening(self.process, self.port, self.log)
        urllib.request.urlopen(urllib.request.Request("%s/%s" % (self.url, BUCKET), method="PUT")).read()
        self.environment = dict(KEYS, AWS_ENDPOINT=self.url)


class Azurite(Store):
    """Azure Blob Storage; `.ci/run object-store-azure` installs it."""

    data = "az://%s/of/" % BUCKET

    def __init__(self):
        self.port, account = free_port(), "anaccount"
        self.secret = base64.b64encode(secrets.token_bytes(64)).decode()
        self.log = tempfile.TemporaryFile()
        command = [os.environ.get("AZURITE", "azurite-blob"), "--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--inMemoryPersistence",
                   "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, preexec_fn=dies_with_us,
                                        env=dict(os.environ, AZURITE_ACCOUNTS="%s:%s" % (account, self.secret)))
        listening(self.process, self.port, self.log)
        self.url = "http://127.0.0.1:%d" % self.port
        fields = {"x-ms-date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()), "x-ms-version": "2021-08-06"}
        # The signed text: method, eleven fields that are empty, the fields of Azure's own, and what is asked for.
        text = "PUT" + "\n" * 12 + "".join("%s:%s\n" % field for field in sorted(fields.items())) + "/%s/%s/%s\nrestype:container" % (account, account, BUCKET)
        signature = base64.b64encode(hmac.new(base64.b64decode(self.secret), text.encode(), hashlib.sha256).digest()).decode()
        request = urllib.request.Request("%s/%s/%s?restype=container" % (self.url, account, BUCKET), method="PUT",
                                         headers=dict(fields, Authorization="SharedKey %s:%s" % (account, signature)))
        urllib.request.urlopen(request).read()
        self.environment = {"AZURE_STORAGE_ACCOUNT_NAME": account, "AZURE_STORAGE_ACCOUNT_KEY": self.secret, "AZURE_STORAGE_USE_EMULATOR": "true",
                            "AZURITE_BLOB_STORAGE_URL": self.url}


# Google's XML interface is S3's but for the names of conditions and versions. No server for tests that registries have speaks enough of it: fake-gcs-server
# and gcp-storage-emulator know the JSON interface, and neither takes `x-goog-if-generation-match` of a PUT.
TRANSLATED = """
import sys, zlib
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
s3 = DomainDispatcherApplication(create_backend_app)
def google(environ, start):
    # What is not signed may read nothing there; whose signature it is, nobody looks.
    environ["HTTP_AUTHORIZATION"] = "AWS4-HMAC-SHA256 Credential=a/20200101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    condition = environ.pop("HTTP_X_GOOG_IF_GENERATION_MATCH", None)
    if condition not in (None, "0") or any(name.startswith("HTTP_X_GOOG_COPY") for name in environ):
        start("501 Not Implemented", [("Content-Length", "0")])
        return [b""]
    if condition == "0":
        environ["HTTP_IF_NONE_MATCH"] = "*"
    def started(status, headers, *more):
        tags = [value for name, value in headers if name.lower() == "etag"]
        headers += [("x-goog-generation", str(1 + zlib.crc32(tag.encode()))) for tag in tags]
        return start(status, headers, *more)
    return s3(environ, started)
run_simple("127.0.0.1", int(sys.argv[1]), google, threaded=True)
"""


class Google(Store):
    """Google Cloud Storage, as far as a translation is one."""

    data, secret = "gs://%s/of/" % BUCKET, "never-to-be-printed"

    def __init__(self):
        self.port = free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([sys.executable, "-c", TRANSLATED, str(self.port)], stdout=self.log, stderr=subprocess.STDOUT, preexec_fn=dies_with_us)
        listening(self.process, self.port, self.log)
        urllib.request.urlopen(urllib.request.Request("%s/%s" % (self.url, BUCKET), method="PUT")).read()
        account = {"disable_oauth": True, "client_email": "", "private_key_id": "", "private_key": self.secret}
        self.environment = {"GOOGLE_BASE_URL": self.url, "GOOGLE_SERVICE_ACCOUNT_KEY": json.dumps(account)}


STORES = {"s3": Moto, "azure": Azurite, "google": Google}
