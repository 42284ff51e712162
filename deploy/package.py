#!/usr/bin/env python3
"""A Debian package of a build, and what is in the build (CycloneDX). By the same list as cargo-deb: [package.metadata.deb] in Cargo.toml.

    cargo build --release && deploy/package.py [--program target/release/dbtrail-shim]

writes target/package/dbtrail-shim_VERSION_ARCH.deb and dbtrail-shim.cdx.json beside it. Needs dpkg-deb; with dpkg-shlibdeps (dpkg-dev) the package says
which libc it needs. `cargo deb --no-build` gives the same package, after this has written what the program itself prints.
"""
import argparse
import glob
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.path.join(ROOT, "target", "package")


def said(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, **options).stdout


def cargo():
    """What cargo knows of the project and of all that is linked into it on this machine."""
    host = next(line.split()[1] for line in said("rustc", "-vV").decode().splitlines() if line.startswith("host:"))
    return json.loads(said("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", host, cwd=ROOT))


def linked(metadata):
    """The packages that a build has, by id, each with those that it needs; without what only tests need."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = next(p["id"] for p in metadata["packages"] if p["name"] == "dbtrail-shim")
    found, waiting = {}, [root]
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        needs = [d["pkg"] for d in nodes[one]["deps"] if any(kind["kind"] != "dev" for kind in d["dep_kinds"])]
        found[one] = needs
        waiting.extend(needs)
    return root, found


def checksums():
    """SHA-256 of each package of a registry, as Cargo.lock has it."""
    sums, name, version = {}, None, None
    with open(os.path.join(ROOT, "Cargo.lock"), encoding="utf-8") as lock:
        for line in lock:
            key, _, value = line.strip().partition(" = ")
            value = value.strip('"')
            if key == "name":
                name = value
            elif key == "version":
                version = value
            elif key == "checksum":
                sums[name, version] = value
    return sums


def bill(metadata):
    """What is in the program, in the form of CycloneDX 1.5."""
    root, found = linked(metadata)
    packages, sums = {p["id"]: p for p in metadata["packages"]}, checksums()

    def reference(one):
        return "pkg:cargo/%s@%s" % (packages[one]["name"], packages[one]["version"])

    def component(one):
        package = packages[one]
        made = {"type": "application" if one == root else "library", "bom-ref": reference(one), "name": package["name"],
                "version": package["version"], "purl": reference(one)}
        if package.get("license"):
            # Older packages write MIT/Apache-2.0.
            made["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        digest = sums.get((package["name"], package["version"]))
        if digest:
            made["hashes"] = [{"alg": "SHA-256", "content": digest}]
        if package.get("repository"):
            made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
        return made

    others = sorted((one for one in found if one != root), key=reference)
    needs = [{"ref": reference(one), "dependsOn": sorted({reference(other) for other in found[one]})} for one in sorted(found, key=reference)]
    # Of the same build always the same.
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(needs))
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": "urn:uuid:%s" % serial, "version": 1,
            "metadata": {"component": component(root)}, "components": [component(one) for one in others], "dependencies": needs}


def papers(program, metadata):
    """What the program prints of itself, and what is in it."""
    os.makedirs(OUT, exist_ok=True)
    texts = {"dbtrail-shim.1": said(program, "man"), "dbtrail-shim.bash": said(program, "completions", "bash"),
             "_dbtrail-shim": said(program, "completions", "zsh"), "dbtrail-shim.fish": said(program, "completions", "fish"),
             "dbtrail-shim.cdx.json": json.dumps(bill(metadata), indent=1).encode()}
    for name, text in texts.items():
        with open(os.path.join(OUT, name), "wb") as f:
            f.write(text)


def tree(listed, program, folder):
    """The files of the package."""
    for source, target, mode in listed["assets"]:
        sources = [program] if source == "target/release/dbtrail-shim" else sorted(glob.glob(os.path.join(ROOT, source)))
        if not sources:
            sys.exit("%s of the list in Cargo.toml is not there" % source)
        for one in sources:
            path = os.path.join(folder, target)
            if target.endswith("/"):
                path += os.path.basename(source if "*" not in source else one)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copyfile(one, path)
            if "/man/" in path:
                with open(path, "rb") as page, gzip.GzipFile(path + ".gz", "wb", 9, mtime=0) as packed:
                    packed.write(page.read())
                os.remove(path)
                path += ".gz"
            os.chmod(path, int(mode, 8))


def libraries(program):
    """The packages of the libraries that the program is linked with."""
    if not shutil.which("dpkg-shlibdeps"):
        return "libc6"
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "debian"))
        open(os.path.join(folder, "debian", "control"), "w").write("Source: x\n\nPackage: x\nArchitecture: any\n")
        text = said("dpkg-shlibdeps", "-O", "-e" + program, cwd=folder, stderr=subprocess.DEVNULL).decode()
    return text.partition("=")[2].strip()


def control(listed, package, program, folder):
    architecture = said("dpkg", "--print-architecture").decode().strip()
    installed = sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)
    description = "\n".join(" " + line for line in listed["extended-description"].splitlines())
    fields = {"Package": package["name"], "Version": package["version"] + "-1", "Architecture": architecture, "Maintainer": listed["maintainer"],
              "Section": listed["section"], "Priority": listed["priority"], "Installed-Size": str(installed // 1024 + 1),
              "Depends": listed["depends"].replace("$auto", libraries(program)), "Recommends": listed["recommends"],
              "Description": package["description"].partition(":")[0] + "\n" + description}
    about = os.path.join(folder, "DEBIAN")
    os.mkdir(about)
    with open(os.path.join(about, "control"), "w", encoding="utf-8") as f:
        f.writelines("%s: %s\n" % pair for pair in fields.items())
    with open(os.path.join(about, "conffiles"), "w", encoding="utf-8") as f:
        f.writelines(path + "\n" for path in listed["conf-files"])
    for script in ("postinst", "prerm", "postrm"):
        shutil.copy(os.path.join(ROOT, listed["maintainer-scripts"], script), about)
    return "%s_%s_%s.deb" % (fields["Package"], fields["Version"], architecture)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=os.path.join(ROOT, "target", "release", "dbtrail-shim"))
    program = os.path.abspath(parser.parse_args().program)
    metadata = cargo()
    package = next(p for p in metadata["packages"] if p["name"] == "dbtrail-shim")
    listed = package["metadata"]["deb"]
    papers(program, metadata)
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        tree(listed, program, folder)
        name = control(listed, package, program, folder)
        said("dpkg-deb", "--root-owner-group", "-Zxz", "-z3", "--build", folder, os.path.join(OUT, name))
    print(os.path.join(OUT, name))


if __name__ == "__main__":
    main()
