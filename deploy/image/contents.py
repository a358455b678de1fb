"""What is in the image: the executable, the certificate authorities, the licences; and where each comes from.

A Platform is asked for texts and versions of the libraries that the executable was linked with: this machine's own
packages, or those of a sysroot beside it. Everything that cannot be found is an Unusable with one line for people.
"""

import dataclasses
import os
import pathlib
import re
import struct
import subprocess
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("SPOTKEEPER_CACHE") or pathlib.Path.home() / ".cache/spotkeeper")
ELF_MACHINES = {"amd64": 62, "arm64": 183}  # e_machine: EM_X86_64, EM_AARCH64
AUTHORITIES = pathlib.Path("/usr/share/ca-certificates/mozilla")
COMMON_LICENCES = pathlib.Path("/usr/share/common-licenses")


class Unusable(Exception):
    """One line: what, where, what to do."""


@dataclasses.dataclass(frozen=True)
class Component:
    """Something of others that is in the image. `package`: Debian's binary package; `own_build`: its source package,
    which tools/setup builds."""

    name: str
    licence: str  # SPDX
    package: str = ""
    own_build: str = ""


GCC = "GPL-3.0-or-later WITH GCC-exception-3.1"
LIBRARIES = [
    Component("boost", "BSL-1.0", "libboost1.81-dev"),
    Component("c-ares", "MIT", "libc-ares-dev"),
    Component("curl", "curl", own_build="curl"),
    Component("expat", "MIT", "libexpat1-dev"),
    Component("fmt", "MIT", "libfmt-dev"),
    Component("glibc", "LGPL-2.1-or-later", "libc6-dev"),
    Component("libgcc", GCC, "libgcc-12-dev"),
    Component("libstdc++", GCC, "libstdc++-12-dev"),
    Component("nghttp2", "MIT", "libnghttp2-dev"),
    Component("openssl", "Apache-2.0", "libssl-dev"),
    Component("prometheus-cpp", "MIT", own_build="prometheus-cpp"),
    Component("yaml-cpp", "MIT", "libyaml-cpp-dev"),
    Component("zlib", "Zlib", "zlib1g-dev"),
]
CERTIFICATES = Component("ca-certificates", "MPL-2.0", "ca-certificates")
# Texts that the packages' own only point to.
COMMON = ["Apache-2.0", "GPL-3", "LGPL-2.1", "MPL-2.0"]


class Platform:
    """linux/ARCHITECTURE and its executable. `sysroot`: what the executable was linked in, when that is not here."""

    def __init__(self, architecture: str, executable: pathlib.Path, sysroot: pathlib.Path | None = None):
        self.architecture, self.executable, self.sysroot = architecture, executable, sysroot
        if architecture not in ELF_MACHINES:
            raise Unusable(f"{architecture}: not a platform of the image; use {' or '.join(ELF_MACHINES)}")

    def version(self, component: Component) -> str:
        if component.own_build:
            name = component.own_build.removesuffix("-cpp")
            pins = (REPOSITORY / "tools/setup.d/libraries.sh").read_text()
            return re.search(rf"^readonly {name}_version=(\S+)$", pins, re.MULTILINE)[1]
        return self._packages()[component.package]

    def licence(self, component: Component) -> bytes:
        if component.own_build:
            path = CACHE / "deps/current/share/doc" / component.own_build / "copyright"
        else:
            root = pathlib.Path("/") if component is CERTIFICATES else self.sysroot or pathlib.Path("/")
            path = root / "usr/share/doc" / component.package / "copyright"
        text = _read(path, "run 'tools/setup image'" if self.sysroot else "run 'tools/setup build'")
        # Debian lists the authors of every file of Boost: 2 MB. The licence wants none of them with an executable.
        return _stanza(text, component.licence) if component.name == "boost" else text

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Path in the image: mode and content. This is all that is in it."""
        check_executable(self.executable, self.architecture)
        texts = {f"{one.name}.txt": self.licence(one) for one in [*LIBRARIES, CERTIFICATES]}
        texts |= {f"common/{name}.txt": _read(COMMON_LICENCES / name, "install base-files") for name in COMMON}
        texts["spotkeeper.txt"] = _read(REPOSITORY / "LICENSE", "it is part of the repository")
        files = {f"licenses/{name}": (0o644, text) for name, text in texts.items()}
        files["etc/ssl/certs/ca-certificates.crt"] = (0o644, authorities())
        files["usr/bin/spotkeeper"] = (0o755, self.stripped())
        return files

    def stripped(self) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "spotkeeper"
            subprocess.run(["llvm-strip-19", "--strip-all", "-o", out, self.executable], check=True)
            return out.read_bytes()

    def _packages(self) -> dict[str, str]:
        if self.sysroot:
            text = _read(self.sysroot / "packages", "run 'tools/setup image'").decode()
            text += _dpkg([CERTIFICATES.package])
        else:
            text = _dpkg([one.package for one in [*LIBRARIES, CERTIFICATES] if one.package])
        return dict(line.split() for line in text.splitlines())


def check_executable(path: pathlib.Path, architecture: str) -> None:
    """It is a 64-bit ELF file of that architecture that wants no interpreter, as nothing else is in the image."""
    data = _read(path, "build it first")
    if data[:5] != b"\x7fELF\x02" or struct.unpack_from("<H", data, 18)[0] != ELF_MACHINES[architecture]:
        raise Unusable(f"{path}: not an executable for linux/{architecture}")
    at, size, count = (struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54))
    if any(struct.unpack_from("<I", data, at + size * number)[0] == 3 for number in range(count)):  # PT_INTERP
        raise Unusable(f"{path}: not static, and the image has no libraries; build the preset release or arm64")


def authorities() -> bytes:
    """Mozilla's certificate authorities, as Debian packages them. In /etc/ssl/certs are this machine's own, too."""
    files = sorted(AUTHORITIES.glob("*.crt"), key=lambda path: path.name)
    if not files:
        raise Unusable(f"{AUTHORITIES} is empty: install ca-certificates")
    return b"".join(path.read_bytes().rstrip(b"\n") + b"\n" for path in files)


def spotkeeper_version() -> str:
    return re.search(r"project\(spotkeeper VERSION (\S+)", (REPOSITORY / "CMakeLists.txt").read_text())[1]


def _dpkg(packages: list[str]) -> str:
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages], capture_output=True, text=True
    )
    if done.returncode:
        raise Unusable(f"{done.stderr.strip()}: run 'tools/setup build'")
    return done.stdout


def _read(path: pathlib.Path, otherwise: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}: {otherwise}") from None


def _stanza(text: bytes, licence: str) -> bytes:
    """The text of one licence in a machine-readable debian/copyright."""
    found = re.search(rf"^License: {re.escape(licence)}\n((?: .*\n)+)".encode(), text, re.MULTILINE)
    if not found:
        raise Unusable(f"no text of {licence} in the copyright file: look what has changed in the package")
    lines = [line[1:] for line in found[1].split(b"\n")]
    return b"\n".join(b"" if line == b"." else line for line in lines)
