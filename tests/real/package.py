#!/usr/bin/env python3
"""The Debian package: installed in a Debian 13 (an overlay upon the one of servers.py; root), files, user, configuration kept, and gone again; and the
list of what is in the build.
"""
import glob
import json
import os
import re
import subprocess
import tempfile

import servers
from harness import ROOT, Counter, finish

UNITS = ["dbtrail-agent.service", "dbtrail-shim.service", "dbtrail-shim.socket", "dbtrail-shim@.service"]


def inside(root, *command):
    done = subprocess.run(["chroot", root, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"})
    return done.returncode, done.stdout.decode(errors="replace")


def installed(root, deb, counter):
    def path(name):
        return os.path.join(root, name.lstrip("/"))

    subprocess.run(["cp", deb, path("/tmp/it.deb")], check=True)
    code, said = inside(root, "dpkg", "-i", "/tmp/it.deb")
    counter.equal(code, 0, "dpkg -i: " + said)
    code, said = inside(root, "/usr/bin/dbtrail-shim", "--version")
    counter.check(code == 0 and said.startswith("dbtrail-shim"), "the program runs", said)
    counter.equal(inside(root, "id", "-gn", "dbtrail"), (0, "dbtrail\n"), "the user")
    folder = inside(root, "stat", "-c", "%a %U %G", "/etc/dbtrail-shim")[1]
    counter.equal(folder, "750 root dbtrail\n", "the folder of the configuration")
    for unit in UNITS:
        with open(path("/usr/lib/systemd/system/" + unit), encoding="utf-8") as f:
            text = f.read()
        for program, arguments in re.findall(r"^Exec(?:Start|StartPre)=(\S+)(.*)$", text, re.M):
            # systemd looks for it below /usr/local/bin and /usr/bin.
            counter.check(os.path.exists(path("/usr/bin/" + program)), unit + ": its program", program)
            for config in re.findall(r"/etc/\S+\.yaml", arguments):
                counter.check(os.path.exists(path(config)), unit + ": its configuration", config)
    for name in ("man/man1/dbtrail-shim.1.gz", "bash-completion/completions/dbtrail-shim", "zsh/vendor-completions/_dbtrail-shim",
                 "fish/vendor_completions.d/dbtrail-shim.fish", "doc/dbtrail-shim/operations.md", "dbtrail-shim/prometheus-alerts.yaml"):
        counter.check(os.path.getsize(path("/usr/share/" + name)) > 500, "there is " + name)
    counter.equal(inside(root, "bash", "-n", "/usr/share/bash-completion/completions/dbtrail-shim"), (0, ""), "completion")
    modes = {oct(os.stat(p).st_mode & 0o777) for p in glob.glob(path("/usr/share/doc/dbtrail-shim/*.md"))}
    counter.equal(modes, {"0o644"}, "papers can be read by all")
    # What an administrator wrote stays when the package comes again, and goes at a purge alone.
    config = path("/etc/dbtrail-shim/shim.yaml")
    with open(config, "a", encoding="utf-8") as f:
        f.write("# mine\n")
    counter.equal(inside(root, "dpkg", "-i", "/tmp/it.deb")[0], 0, "again")
    counter.equal(inside(root, "dpkg", "-r", "dbtrail-shim")[0], 0, "removed")
    counter.check(not os.path.exists(path("/usr/bin/dbtrail-shim")), "the program is gone")
    counter.check(open(config, encoding="utf-8").read().endswith("# mine\n"), "the configuration stays")
    counter.equal(inside(root, "dpkg", "-P", "dbtrail-shim")[0], 0, "purged")
    counter.check(not os.path.exists(config), "the configuration is gone")


def bill(path, counter):
    with open(path, encoding="utf-8") as f:
        bom = json.load(f)
    counter.equal((bom["bomFormat"], bom["specVersion"], bom["version"]), ("CycloneDX", "1.5", 1), "its form")
    counter.check(re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bom["serialNumber"]), "its number", bom["serialNumber"])
    parts = [bom["metadata"]["component"], *bom["components"]]
    references = [part["bom-ref"] for part in parts]
    counter.equal(len(references), len(set(references)), "each part once")
    named = {edge["ref"] for edge in bom["dependencies"]} | {ref for edge in bom["dependencies"] for ref in edge["dependsOn"]}
    counter.equal(named, set(references), "what needs what")
    tree = subprocess.run(["cargo", "tree", "--locked", "-p", "dbtrail-shim", "-e", "normal,build", "--prefix", "none", "--format", "{p}"], cwd=ROOT,
                          stdout=subprocess.PIPE, check=True).stdout.decode()
    wanted = {"pkg:cargo/%s@%s" % (words[0], words[1].lstrip("v")) for words in map(str.split, tree.splitlines()) if words}
    counter.equal(wanted - set(references), set(), "all that cargo builds")
    for part in parts:
        ours = part["name"].startswith("dbtrail-")
        good = part.get("licenses") and (ours or re.fullmatch("[0-9a-f]{64}", part["hashes"][0]["content"]))
        counter.check(good, "licence and digest: " + part["name"], part)


def main():
    counter, listed = Counter("package"), Counter("what is in it")
    made = subprocess.run([os.path.join(ROOT, "deploy", "package.py")], stdout=subprocess.PIPE, check=True)
    deb = made.stdout.decode().strip()
    bill(os.path.join(os.path.dirname(deb), "dbtrail-shim.cdx.json"), listed)
    with tempfile.TemporaryDirectory(prefix="dbtrail-package-") as folder:
        upper, work, root = (os.path.join(folder, name) for name in ("upper", "work", "root"))
        for one in (upper, work, root):
            os.mkdir(one)
        # An overlay cannot lie upon another one, which a container's own disk may be.
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1G", "tmpfs", folder], check=True)
        try:
            for one in (upper, work, root):
                os.mkdir(one)
            options = "lowerdir=%s,upperdir=%s,workdir=%s" % (servers.install("mariadb-11.8"), upper, work)
            subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, root], check=True)
            try:
                installed(root, deb, counter)
            finally:
                subprocess.run(["umount", "-l", root], check=False)
        finally:
            subprocess.run(["umount", "-l", folder], check=False)
    finish([counter, listed], 200)


if __name__ == "__main__":
    main()
