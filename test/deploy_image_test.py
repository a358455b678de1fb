"""The image, built, fetched and unpacked: what is in it, that the agent runs in it as on a node, that nothing of the
machine that built it is seen in it. One platform, this machine's; the other is in `make image-test`.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess

import pytest

from image import Image, within
from rig import until
from rig.binaries import CACHE, REPOSITORY, spotkeeper

BUILD = REPOSITORY / "deploy/image/build"
AT_MOST = 6_000_000
TIME = 1_700_000_000
LIBRARIES = "boost c-ares curl expat fmt glibc libgcc libstdc++ nghttp2 openssl prometheus-cpp yaml-cpp zlib".split()
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]


def version() -> str:
    return re.search(r"spotkeeper VERSION (\S+)", (REPOSITORY / "CMakeLists.txt").read_text())[1]


def build(out: pathlib.Path, *platforms: str, **env) -> subprocess.CompletedProcess:
    platforms = platforms or (f"{ARCHITECTURE}={spotkeeper()}",)
    env = os.environ | {"SOURCE_DATE_EPOCH": str(TIME)} | env
    return subprocess.run([BUILD, "--out", out, *platforms], env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image") / "out"
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def image(out, tmp_path):
    return Image.fetch(out / "oci", version(), ARCHITECTURE, tmp_path / "fetched")


def test_it_is_small(image):
    assert image.compressed_size() <= AT_MOST


def test_nothing_else_is_in_it(image):
    licences = {f"licenses/{name}.txt" for name in [*LIBRARIES, "ca-certificates", "spotkeeper"]}
    licences |= {f"licenses/common/{name}.txt" for name in ("Apache-2.0", "GPL-3", "LGPL-2.1", "MPL-2.0")}
    files = {"usr/bin/spotkeeper", "etc/ssl/certs/ca-certificates.crt"} | licences
    entries = image.entries()
    assert {entry.name for entry in entries if entry.isfile()} == files
    assert {entry.name for entry in entries if not entry.isfile()} == {
        "etc", "etc/ssl", "etc/ssl/certs", "licenses", "licenses/common", "usr", "usr/bin"
    }  # fmt: skip
    for entry in entries:
        assert (entry.uid, entry.gid, entry.uname, entry.gname, entry.mtime) == (0, 0, "", "", TIME)
        assert entry.mode == (0o755 if entry.isdir() or entry.name == "usr/bin/spotkeeper" else 0o644)


def test_how_it_is_started(image):
    config = image.config()
    assert (config["os"], config["architecture"]) == ("linux", ARCHITECTURE)
    assert config["config"]["User"] == "1000:1000"
    assert config["config"]["Entrypoint"] == ["/usr/bin/spotkeeper"] and "Cmd" not in config["config"]


def test_each_licence_is_there(image, tmp_path):
    folder = image.unpack(tmp_path / "root") / "licenses"
    texts = {path.stem: path.read_text(errors="replace") for path in folder.glob("*.txt")}
    assert "Boost Software License - Version 1.0" in texts["boost"]
    assert "Apache License" in texts["openssl"]
    assert "GCC Runtime Library Exception" in texts["libstdc++"].replace("\n", " ")
    assert "Daniel Stenberg" in texts["curl"] and "Lesser" in texts["glibc"]
    assert all(len(text) > 500 for text in texts.values())


def test_it_trusts_mozillas_authorities_and_none_of_this_machine(image, tmp_path):
    file = image.unpack(tmp_path / "root") / "etc/ssl/certs/ca-certificates.crt"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(file)
    packaged = list(pathlib.Path("/usr/share/ca-certificates/mozilla").glob("*.crt"))
    assert file.read_text().count("BEGIN CERTIFICATE") == len(packaged) > 100
    assert context.cert_store_stats()["x509_ca"] > 100
    names = {value for one in context.get_ca_certs() for part in one["subject"] for _, value in part}
    assert {"Amazon Root CA 1", "Amazon Root CA 3"} <= names


def test_an_agent_drains_in_it(rig, image, tmp_path):
    """As the chart has it: args [agent], options in the environment, the account where a kubelet mounts it."""
    node = rig.node("worker")
    app = rig.deployment("app", on=node)
    account = rig.account("contained")
    root, config = image.unpack(tmp_path / "root"), image.config()
    served = {"ENABLE_PROMETHEUS_SERVER": "true", "PROMETHEUS_SERVER_PORT": "0", "TAINT_NODE": "true"}
    imds = rig.imds(node)
    agent = rig.agent(node, imds, served, account=account, within=within(root, config, account.folder, ["agent"]))
    agent.wait_for_message("node found")
    contained(agent.pid, root)
    imds.announce(spot=True, time_in_s=30)
    rig.until_gone_from(node, app, at_most=30)
    assert node.is_cordoned() and node.taint("aws-node-termination-handler/spot-itn")
    assert agent.post_mortem(at_most=20)
    assert any(name.startswith("actions_total") for name in agent.metrics())
    assert agent.terminate() == 0


def contained(pid: int, root: pathlib.Path) -> None:
    """It is what it claims to be: uid 1000 without rights, its own executable, a root that nobody writes."""
    process = pathlib.Path(f"/proc/{pid}")
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
    assert status["Uid"].split() == status["Gid"].split() == ["1000"] * 4 and not status["Groups"].split()
    assert (status["NoNewPrivs"], int(status["CapEff"], 16), int(status["CapPrm"], 16)) == ("1", 0, 0)
    assert os.readlink(process / "root") == str(root)
    mounts = [line.split() for line in (process / "mountinfo").read_text().splitlines()]
    options = {mount[4]: mount[5].split(",") for mount in mounts}
    assert "ro" in options["/"]
    assert not (root / "bin").exists()  # no shell to be found in it


def test_two_builds_are_one_digest(out, tmp_path):
    """Elsewhere, by another umask and time zone, from a copy of the executable of another name and age."""
    copy = shutil.copy(spotkeeper(), tmp_path / "another")
    os.utime(copy, (1, 1))
    before = os.umask(0o077)
    try:
        done = build(tmp_path / "again", f"{ARCHITECTURE}={copy}", TZ="Asia/Tokyo", LC_ALL="C")
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stderr
    assert files_of(tmp_path / "again") == files_of(out)
    assert build(tmp_path / "later", SOURCE_DATE_EPOCH=str(TIME + 1)).returncode == 0
    assert (tmp_path / "later/digest").read_text() != (out / "digest").read_text()


# Debian's own headers, which Boost names when it throws: on every machine the same.
HEADERS = (b"/usr/include/", b"/usr/lib/")


def tells_where_it_was_built(program: bytes) -> list[bytes]:
    """Folders of whoever built it, and whatever else is the absolute path of a source and not Debian's."""
    folders = {str(folder).encode() for folder in (REPOSITORY, CACHE, pathlib.Path.home())} - {b"/"}
    told = {line for line in re.findall(rb"[\x20-\x7e]{4,}", program) if any(folder in line for folder in folders)}
    sources = re.findall(rb"\0(/[\x21-\x7e]+\.(?:hpp|ipp|hh?|cc|cpp|c))(?=\0)", program)
    return sorted(told | {path for path in sources if not path.startswith(HEADERS)})


def test_it_does_not_tell_where_it_was_built(image, tmp_path):
    """Else the next folder's build has another digest. That it has the same one: tools/image-twice."""
    program = (image.unpack(tmp_path / "root") / "usr/bin/spotkeeper").read_bytes()
    assert b"\0/usr/include/boost/" in program  # so that it would be seen
    assert tells_where_it_was_built(program) == []
    assert tells_where_it_was_built(program + f"\0{REPOSITORY}/src/a.h\0/elsewhere/src/b.cc\0".encode()) != []


def files_of(folder: pathlib.Path) -> dict[str, str]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_the_digest_is_the_indexs(out):
    index = (out / "digest").read_text().strip()
    named = json.loads((out / "oci/index.json").read_text())["manifests"]
    assert [one["digest"] for one in named] == [index]
    blobs = list((out / "oci/blobs/sha256").iterdir())
    assert all(hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name for blob in blobs)
    platforms = json.loads((out / "oci/blobs" / index.replace(":", "/")).read_text())["manifests"]
    assert [one["platform"] for one in platforms] == [{"architecture": ARCHITECTURE, "os": "linux"}]


def not_linked(packages: dict[str, str], program: bytes) -> list[str]:
    """What libraries say of themselves in an executable that was linked with these versions, and is not there."""
    version = {name: re.search(r"\d+\.\d+\.\d+", packages[name])[0] for name in ("openssl", "expat", "zlib")}
    said = [f"OpenSSL {version['openssl']} ", f"expat_{version['expat']}", f"inflate {version['zlib']} "]
    return [words for words in said if words.encode() not in program]


def test_its_parts_are_named_with_their_versions(out, image, tmp_path):
    """The SBOM, held against the files and against what is linked."""
    sbom = json.loads((out / f"spotkeeper-{version()}-{ARCHITECTURE}.spdx.json").read_text())
    assert (sbom["spdxVersion"], sbom["SPDXID"], sbom["dataLicense"]) == ("SPDX-2.3", "SPDXRef-DOCUMENT", "CC0-1.0")
    known = {one["SPDXID"] for one in [sbom, *sbom["packages"], *sbom["files"]]}
    assert len(known) == 1 + len(sbom["packages"]) + len(sbom["files"])
    assert all({one["spdxElementId"], one["relatedSpdxElement"]} <= known for one in sbom["relationships"])
    packages = {one["name"]: one["versionInfo"] for one in sbom["packages"]}
    assert set(LIBRARIES) <= set(packages) and all(packages.values())
    root = image.unpack(tmp_path / "root")
    assert not_linked(packages, (root / "usr/bin/spotkeeper").read_bytes()) == []
    sums = {one["fileName"]: one["checksums"][1]["checksumValue"] for one in sbom["files"]}
    assert sums == {f"./{name}": digest for name, digest in files_of(root).items()}


@pytest.mark.parametrize(
    "platform, said",
    [
        ("amd64", "expected PLATFORM=EXECUTABLE"),
        ("riscv64=/bin/true", "riscv64: not a platform of the image"),
        ("amd64=/nowhere", "/nowhere: No such file or directory"),
        ("arm64=/bin/true", "/bin/true: not an executable for linux/arm64"),
        (f"{ARCHITECTURE}=/bin/true", "/bin/true: not static"),
        ("amd64=/etc/passwd", "/etc/passwd: not an executable"),
    ],
)
def test_what_makes_no_image_is_refused_in_one_line(tmp_path, platform, said):
    done = build(tmp_path / "out", platform)
    assert done.returncode == 2 and done.stderr.startswith("image: ") and done.stderr.count("\n") == 1, done.stderr
    assert said in done.stderr and not (tmp_path / "out").exists()
