"""The image's half for linux/arm64, under qemu-user: `make image-test` builds it and runs this. CI has no time for it,
so the file's name is one that pytest does not look for by itself.
"""

import json
import os
import subprocess

import pytest

from deploy_image_test import AT_MOST, build, not_linked, tells_where_it_was_built, version
from image import Image
from rig.binaries import REPOSITORY, spotkeeper

QEMU = "qemu-aarch64-static"
ARM64 = REPOSITORY / "build/arm64/spotkeeper"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image") / "out"
    done = build(folder, f"arm64={ARM64}", f"amd64={spotkeeper()}")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def image(out, tmp_path):
    return Image.fetch(out / "oci", version(), "arm64", tmp_path / "fetched")


def test_one_name_is_both_platforms_and_stays_so_when_it_is_pushed(out, tmp_path):
    whole = tmp_path / "whole"
    where = (f"oci:{out}/oci:{version()}", f"oci:{whole}:{version()}")
    subprocess.run(["skopeo", "--insecure-policy", "copy", "--all", *where], check=True, capture_output=True)
    (named,) = json.loads((whole / "index.json").read_text())["manifests"]
    assert named["digest"] == (out / "digest").read_text().strip()
    index = json.loads((whole / "blobs" / named["digest"].replace(":", "/")).read_text())
    assert [one["platform"]["architecture"] for one in index["manifests"]] == ["amd64", "arm64"]
    assert len(list((whole / "blobs/sha256").iterdir())) == 1 + 2 * 3  # the index; manifest, config and layer of each


def test_it_is_as_small_and_has_the_same_in_it(out, image, tmp_path):
    assert image.compressed_size() <= AT_MOST
    other = Image.fetch(out / "oci", version(), "amd64", tmp_path / "amd64")
    assert [entry.name for entry in image.entries()] == [entry.name for entry in other.entries()]
    assert image.config()["architecture"] == "arm64"
    assert image.config()["config"] == other.config()["config"]


def test_its_sbom_is_its_own(out, image, tmp_path):
    sbom = json.loads((out / f"spotkeeper-{version()}-arm64.spdx.json").read_text())
    packages = {one["name"]: one["versionInfo"] for one in sbom["packages"]}
    assert {"boost", "openssl", "curl", "glibc"} <= set(packages)
    assert not_linked(packages, (image.unpack(tmp_path / "root") / "usr/bin/spotkeeper").read_bytes()) == []
    purls = [ref["referenceLocator"] for one in sbom["packages"] for ref in one.get("externalRefs", [])]
    assert any("libssl-dev" in one and "arch=arm64" in one for one in purls)


def test_two_builds_are_one_digest(out, tmp_path):
    assert build(tmp_path / "again", f"amd64={spotkeeper()}", f"arm64={ARM64}").returncode == 0
    assert (tmp_path / "again/digest").read_text() == (out / "digest").read_text()


def test_it_does_not_tell_where_it_was_built(image, tmp_path):
    """Nor where its libraries for arm64 were: compiled without cmake/arm64.cmake's prefix map, it does."""
    program = (image.unpack(tmp_path / "root") / "usr/bin/spotkeeper").read_bytes()
    assert b"\0/usr/include/boost/" in program  # so that it would be seen
    assert tells_where_it_was_built(program) == []


def test_an_agent_drains_in_it(rig, image, tmp_path):
    """The image's own executable, emulated; TLS, IMDS, watches and the plan with it."""
    node = rig.node("worker")
    app = rig.deployment("app", on=node)
    program = image.unpack(tmp_path / "root") / "usr/bin/spotkeeper"
    within = ("sh", "-c", f'shift && exec {QEMU} {program} "$@"', "sh")  # in place of the executable that is given
    imds = rig.imds(node)
    agent = rig.agent(node, imds, {"TAINT_NODE": "true"}, within=within)
    agent.wait_for_message("node found", at_most=30)
    assert os.readlink(f"/proc/{agent.pid}/exe").endswith(QEMU)
    imds.announce(spot=True, time_in_s=60)
    rig.until_gone_from(node, app, at_most=60)
    assert node.is_cordoned() and node.taint("aws-node-termination-handler/spot-itn")
    assert agent.post_mortem(at_most=30)
    assert agent.terminate(at_most=30) == 0
