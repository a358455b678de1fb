"""The emulated control plane against the real one: the same scripts, the same answers and outcomes.

The real one is right. All chosen histories run on both at once, some at a time, before the first test compares.
"""

import concurrent.futures
import traceback

import pytest
from world_histories import HISTORIES, Witness

from rig import ControlPlane, Rig, WorldPlane

AT_A_TIME = 6


@pytest.fixture(scope="module")
def planes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planes")
    (folder / "real").mkdir()
    with ControlPlane(folder / "real") as real, WorldPlane(folder / "world") as world:
        yield {"real": real, "world": world}


def _run(name: str, plane, folder) -> list:
    """What the history saw; an exception is the last thing it saw."""
    rig = Rig(plane, folder, name)
    witness = Witness(rig)
    try:
        HISTORIES[name](witness)
    except Exception:
        witness.note("broken off", traceback.format_exc())
    finally:
        rig.close()
    return witness.record


@pytest.fixture(scope="module")
def records(request, planes, tmp_path_factory):
    """(history, plane) → the record."""
    folder = tmp_path_factory.mktemp("histories")
    chosen = {item.callspec.params["name"] for item in request.session.items if hasattr(item, "callspec")}
    jobs = [(name, plane) for name in HISTORIES if name in chosen for plane in planes]
    with concurrent.futures.ThreadPoolExecutor(2 * AT_A_TIME) as pool:
        futures = {
            (name, plane): pool.submit(_run, name, planes[plane], folder / plane / name) for name, plane in jobs
        }
        return {key: future.result() for key, future in futures.items()}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", HISTORIES)
def test_the_world_behaves_as_the_real_control_plane(name, records):
    real, world = records[name, "real"], records[name, "world"]
    assert "broken off" not in dict(real), dict(real)["broken off"]
    assert world == real
