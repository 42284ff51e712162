"""A real Chromium, headless, by the WebDriver protocol: chromedriver speaks JSON over HTTP, so no library is needed.

It may reach 127.0.0.1 and nothing else; every request that it makes is kept.
"""
import json
import os
import re
import shutil
import tempfile
import time
import urllib.error
import urllib.request

from harness import Process, free_port

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Escape": "\ue00c", "ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015",
        "Home": "\ue011", "End": "\ue010", "Space": " ", "Shift": "\ue008"}


class Browser:
    def __init__(self, log, width=1280, height=900):
        self.folder = tempfile.mkdtemp(prefix="dbtrail-browser-")
        self.downloads = os.path.join(self.folder, "downloads")
        os.mkdir(self.downloads)
        self.port = free_port()
        self.driver = Process(["chromedriver", "--port=%d" % self.port], log)
        self.driver.wait_for("started successfully", 30)
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
                     "--disable-sync", "--disable-default-apps", "--hide-scrollbars", "--force-color-profile=srgb", "--window-size=%d,%d" % (width, height),
                     "--user-data-dir=" + os.path.join(self.folder, "profile"), "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        wanted = {"browserName": "chrome", "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
                  "goog:chromeOptions": {"args": arguments, "prefs": {"download.default_directory": self.downloads}}}
        self.base = "http://127.0.0.1:%d/session" % self.port
        self.base += "/" + self.call("", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        self.requests = []

    def call(self, path, body=None, method="POST"):
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"].split("\n")[0]) from None

    def open(self, url):
        self.call("/url", {"url": url})

    def run(self, script, *values):
        """A script of the test's own; what it returns."""
        return self.call("/execute/sync", {"script": script, "args": list(values)})

    def wait(self, script, *values, seconds=15):
        """Until an expression is something; gives that."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.run("return (" + script + ")", *values)
            if found:
                return found
            time.sleep(0.03)
        raise RuntimeError("not within %d s: %s %s: the page has %s" % (seconds, script, values, self.run("return document.body.innerText")[:1500]))

    def find(self, css):
        return self.call("/element", {"using": "css selector", "value": css})[ELEMENT]

    def text(self, css):
        return self.run("return document.querySelector(arguments[0])?.innerText", css)

    def click(self, css):
        """As a person does: it must be in sight, and nothing above it."""
        self.call("/element/%s/click" % self.find(css))

    def type(self, css, text):
        self.call("/element/%s/clear" % self.find(css))
        self.call("/element/%s/value" % self.find(css), {"text": text})

    def press(self, *names, held=()):
        """Keys, one after the other, wherever the focus is."""
        down = [{"type": "keyDown", "value": KEYS[name]} for name in held]
        up = [{"type": "keyUp", "value": KEYS[name]} for name in held]
        strokes = [{"type": kind, "value": KEYS.get(name, name)} for name in names for kind in ("keyDown", "keyUp")]
        self.call("/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": down + strokes + up}]})

    def devtools(self, command, **parameters):
        return self.call("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def picture(self, path, width=1280, height=900, scale=1):
        import base64
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False)
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("/screenshot", method="GET")))
        self.devtools("Emulation.clearDeviceMetricsOverride")

    def asked(self):
        """The addresses of all requests so far."""
        for entry in self.call("/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
        return self.requests

    def complaints(self):
        """What the browser's console has: a blocked script, an error of the page."""
        reported = [entry["message"] for entry in self.call("/se/log", {"type": "browser"})]
        return [line for line in reported if not re.search(r"status of (401|422)", line)]

    def close(self):
        try:
            self.call("", method="DELETE")
        except (RuntimeError, OSError):
            pass
        self.driver.stop(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
