#!/usr/bin/env python3
"""A Debian package of a build, by cargo-deb, and what is in the build (CycloneDX). What the package holds is listed in Cargo.toml: [package.metadata.deb].

    cargo build --release && deploy/package.py

writes target/package/dbtrail-shim_VERSION_ARCH.deb and dbtrail-shim.cdx.json beside it. Needs cargo-deb, and dpkg-shlibdeps (dpkg-dev), by which the package
says which libc it needs.
"""
import json
import os
import subprocess
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.path.join(ROOT, "target", "package")
# As the list in Cargo.toml has it.
PROGRAM = os.path.join(ROOT, "target", "release", "dbtrail-shim")


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


def main():
    papers(PROGRAM, cargo())
    made = said("cargo", "deb", "--locked", "--no-build", "--no-strip", "--output", OUT + "/", cwd=ROOT)
    print(made.decode().strip())


if __name__ == "__main__":
    main()
