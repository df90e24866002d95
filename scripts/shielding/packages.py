"""Downloads what `pins/` lists, and unpacks it without running any of it."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

PINS = Path(__file__).parent / "pins"
# Wheels of one platform, whatever this machine is: nothing of them is run.
PLATFORM = ["--platform", "manylinux_2_28_x86_64", "--python-version", "311", "--only-binary", ":all:"]


def say(message):
    print(f"bench-shield: {message}", file=sys.stderr, flush=True)


def run(command, folder):
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        sys.exit(f"bench-shield: {' '.join(map(str, command))}: {ended.stderr[-2000:]}")


def pip(folder, pins, *options):
    wanted = [it.split()[0] for it in (PINS / pins).read_text().splitlines() if it and not it.startswith("#")]
    here = {it.name.lower().replace("_", "-") for it in folder.iterdir()}
    if all(any(it.startswith(one.replace("==", "-").lower()) for it in here) for one in wanted):
        return
    say(f"downloads {len(wanted)} packages of {pins}")
    run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes",
         "--requirement", PINS / pins, "--dest", folder, *options], folder)


def npm(folder):
    for line in (PINS / "npm.txt").read_text().splitlines():
        name, digest = line.split()
        path = folder / f"{name.replace('@', '-')}.tgz"
        if not path.exists():
            run(["npm", "pack", "--silent", name], folder)
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            sys.exit(f"bench-shield: {path} is not what was pinned")


def debian(folder):
    """Debian keeps no old versions, so what is tested may be newer than what was tested before; the manifest says what."""
    here = {it.name.split("_")[0] for it in folder.glob("*.deb")}
    wanted = [it for it in (PINS / "debian.txt").read_text().split() if it not in here]
    if wanted:
        say(f"downloads {len(wanted)} packages of Debian")
        run(["apt-get", "download", "--quiet", *wanted], folder)


def unpack(path, folder):
    if path.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(path) as it:
            it.extractall(folder)
    elif path.suffix == ".deb":
        run(["dpkg-deb", "--extract", path, folder], folder)
    else:
        with tarfile.open(path) as it:
            it.extractall(folder, filter="data")


def fetch(cache):
    """Downloads and unpacks everything that is not there yet: name of the package to its folder."""
    unpacked = {}
    for source, get in (("pypi", lambda it: (pip(it, "wheels.txt", *PLATFORM), pip(it, "sources.txt", "--no-binary", ":all:"))),
                        ("npm", npm), ("debian", debian)):
        folder = cache / "packages" / source
        folder.mkdir(parents=True, exist_ok=True)
        get(folder)
        for path in sorted(it for it in folder.iterdir() if it.is_file()):
            into = cache / "unpacked" / source / path.name.removesuffix(".tar.gz").removesuffix(path.suffix)
            if not into.exists():
                half = into.with_name(into.name + ".half")
                shutil.rmtree(half, ignore_errors=True)
                half.mkdir(parents=True)
                unpack(path, half)
                half.rename(into)
            unpacked[source, path.name.split("-")[0] if source != "debian" else path.name.split("_")[0]] = into
    return unpacked
