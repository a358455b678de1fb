"""The test rig: real parts on loopback. Begin with rig.py; test/README.md is the tour."""

from .agent import Agent
from .api_proxy import ApiProxy
from .control_plane import ControlPlane
from .imds import Imds
from .imds_proxy import ImdsProxy
from .kube import ApiError, Kube
from .node import Node
from .process import Process, TooLate, free_port, stays, until
from .rig import Rig
from .world_plane import WorldPlane

__all__ = [
    "Agent",
    "ApiError",
    "ApiProxy",
    "ControlPlane",
    "Imds",
    "ImdsProxy",
    "Kube",
    "Node",
    "Process",
    "Rig",
    "TooLate",
    "WorldPlane",
    "free_port",
    "stays",
    "until",
]
