"""src/template's measure: expected.json is what Go and sprig answer to the cases of test/template, today, too.

That src/template answers so is the unit test src/template/cases_test.cc, which needs no Go. After a change of the cases:

    cd test/template/go && TZ=UTC go run . ../data.json ../cases.txt > ../expected.json
"""

import json
import os
import pathlib
import shutil
import subprocess

FOLDER = pathlib.Path(__file__).parent / "template"
CACHE = pathlib.Path(os.environ.get("SPOTKEEPER_CACHE", pathlib.Path.home() / ".cache/spotkeeper"))


def go() -> str:
    """What tools/setup installs where the machine's own is too old, or the machine's own."""
    found = shutil.which("go", path=CACHE / "venv/bin") or shutil.which("go")
    assert found, "go is missing: run 'tools/setup test', or install Go 1.26 yourself"
    return found


def test_go_answers_as_expected(tmp_path):
    renderer = tmp_path / "render"
    flags = {"CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-mod=readonly -buildvcs=false"}
    subprocess.run([go(), "build", "-o", renderer, "."], cwd=FOLDER / "go", env=os.environ | flags, check=True)
    answers = subprocess.run([renderer, FOLDER / "data.json", FOLDER / "cases.txt"], env={"TZ": "UTC"},
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    now = {case["template"]: case["answers"] for case in json.loads(answers)["cases"]}
    then = {case["template"]: case["answers"] for case in json.loads((FOLDER / "expected.json").read_text())["cases"]}
    assert len(now) >= 150
    assert now == then
