"""A real Kubernetes control plane on loopback: etcd, API server, controllers, scheduler, and kwok as all kubelets."""

import base64
import csv
import json
import pathlib
import secrets
import shutil
import signal
import tempfile

import requests
import yaml

from . import stages
from .audit import POLICY, AuditLog
from .binaries import binary
from .kube import ApiError, Kube
from .pki import Pki
from .process import Process, free_port, until

ADMIN = "rig-admin"
_PARTS = {
    "kube-controller-manager": "rig-controller-manager",
    "kube-scheduler": "rig-scheduler",
    "kwok": "rig-kwok",
}


class ControlPlane:
    """Starts in the constructor (about 4 s), stops in `stop()` or at the end of a `with`.

    `users` maps further user names to their groups; everybody's token is in `tokens`. `controller_qps` and
    `controller_burst` are raised, so that tests do not wait for controllers: Kubernetes' own defaults are 20 and 30.
    """

    is_world = False

    def __init__(
        self,
        folder: pathlib.Path,
        users: dict[str, list[str]] | None = None,
        controller_qps: int = 1000,
        controller_burst: int = 2000,
    ):
        self.folder = folder
        self._passing = False
        self._processes: list[Process] = []
        masters = {name: ["system:masters"] for name in [ADMIN, *_PARTS.values()]}
        self.users = masters | (users or {})
        self.tokens = {user: secrets.token_hex(16) for user in self.users}
        self._qps, self._burst = controller_qps, controller_burst
        try:
            for name in ["etcd", "kube-apiserver", *_PARTS]:
                binary(name)
            self.pki = Pki(folder / "pki")
            self.port = free_port()
            self.server = f"https://127.0.0.1:{self.port}"
            self.audit = AuditLog(folder / "audit.log")
            self._start()
        except BaseException:
            self.stop()
            raise

    @classmethod
    def temporary(cls, **options) -> "ControlPlane":
        """One in a new temporary folder, for a `with` outside of pytest; the folder stays only after an exception."""
        plane = cls(pathlib.Path(tempfile.mkdtemp(prefix="spotkeeper-rig.")), **options)
        plane._passing = True
        return plane

    def kube(self, user: str = ADMIN, namespace: str = "default") -> Kube:
        return Kube(self.server, self.pki.ca_crt, self.tokens[user], namespace)

    def kubeconfig(self, user: str = ADMIN, token: str | None = None) -> pathlib.Path:
        """A kubeconfig file for one of `users`, or for anybody's `token`."""
        path = self.folder / f"{user.replace(':', '.')}.kubeconfig"
        ca = base64.b64encode(self.pki.ca_crt.read_bytes()).decode()
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "rig",
                    "clusters": [{"name": "rig", "cluster": {"server": self.server, "certificate-authority-data": ca}}],
                    "users": [{"name": user, "user": {"token": token or self.tokens[user]}}],
                    "contexts": [{"name": "rig", "context": {"cluster": "rig", "user": user}}],
                }
            )
        )
        path.chmod(0o600)
        return path

    def check_alive(self) -> None:
        for process in self._processes:
            process.check_alive()

    def process(self, name: str) -> Process:
        """One of the parts, for example to stop it (SIGSTOP) in a test of outages."""
        return next(process for process in self._processes if process.name == name)

    def stop_api_server(self) -> None:
        """Killed. Everything else goes on; whoever holds a connection finds it closed."""
        process = self.process("kube-apiserver")
        process.signal(signal.SIGKILL)
        process.wait()
        self._processes.remove(process)

    def start_api_server(self) -> None:
        """Again, on the same port and etcd; returns when it is ready."""
        self._start_api_server()

    def restart_controllers(self, qps: int, burst: int) -> None:
        """The controller-manager again, with another pace: Kubernetes' own is 20 and 30."""
        process = self.process("kube-controller-manager")
        process.stop()
        self._processes.remove(process)
        self._qps, self._burst = qps, burst
        self._start_controllers()

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.stop(at_most=0.5 if process.name == "etcd" else 2)
        self._processes.clear()

    def __enter__(self) -> "ControlPlane":
        return self

    def __exit__(self, kind, *_) -> None:
        self.stop()
        if self._passing and kind is None:
            shutil.rmtree(self.folder)

    def _start(self) -> None:
        client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self._run(
            "etcd",
            f"--data-dir={self.folder}/etcd",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        )
        self.etcd = client
        self._start_api_server()
        self._start_controllers()
        self.kubeconfig()  # for kubectl, in the hands of whoever looks for a fault
        self._run("kube-scheduler", self._config_flag("kube-scheduler"), *self._pace())
        config = self.folder / "kwok.yaml"
        config.write_text(stages.stages_yaml())
        self._run(
            "kwok",
            self._config_flag("kwok"),
            f"--config={config}",
            "--manage-all-nodes=true",
            "--node-ip=127.0.0.1",
            "--cidr=10.0.0.1/8",
            "--node-lease-duration-seconds=0",
            "--server-address=",
        )
        until(self._complete, 30, "controllers at work")

    def _config_flag(self, part: str) -> str:
        return f"--kubeconfig={self.kubeconfig(_PARTS[part])}"

    def _pace(self) -> tuple[str, ...]:
        return (
            f"--kube-api-qps={self._qps}",
            f"--kube-api-burst={self._burst}",
            "--leader-elect=false",
            "--secure-port=0",
        )

    def _start_controllers(self) -> None:
        # Without the node lifecycle controller: it would taint kwok's nodes, which renew no leases.
        self._run(
            "kube-controller-manager",
            self._config_flag("kube-controller-manager"),
            *self._pace(),
            "--controllers=*,-node-lifecycle-controller,-cloud-node-lifecycle-controller",
            "--pvclaimbinder-sync-period=1s",  # 15 s by default: where it misses a claim's volume at first
            f"--service-account-private-key-file={self.pki.tokens_key}",
            f"--root-ca-file={self.pki.ca_crt}",
        )

    def _start_api_server(self) -> None:
        policy, tokens = self.folder / "audit-policy.json", self.folder / "tokens.csv"
        policy.write_text(json.dumps(POLICY))
        with tokens.open("w", newline="") as file:
            csv.writer(file).writerows(
                (self.tokens[user], user, user, ",".join(groups)) for user, groups in self.users.items()
            )
        self._run(
            "kube-apiserver",
            f"--etcd-servers={self.etcd}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--tls-cert-file={self.pki.server_crt}",
            f"--tls-private-key-file={self.pki.server_key}",
            f"--cert-dir={self.folder}",
            f"--token-auth-file={tokens}",
            f"--client-ca-file={self.pki.ca_crt}",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.pki.tokens_pub}",
            f"--service-account-signing-key-file={self.pki.tokens_key}",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--endpoint-reconciler-type=none",
            f"--audit-policy-file={policy}",
            f"--audit-log-path={self.audit.path}",
        )
        kube = self.kube()
        until(lambda: self._ready(kube), 60, "API server ready", every=0.05)

    def _ready(self, kube: Kube) -> bool:
        self.check_alive()
        try:
            return kube.request("GET", "/readyz", at_most=5).ok
        except (requests.RequestException, ApiError):  # not listening yet, slow, or 500 while it starts
            return False

    def _complete(self) -> bool:
        """The controllers work when they have made the default service account; the others need no waiting for."""
        self.check_alive()
        return self.kube().find("serviceaccounts", "default") is not None

    def _run(self, name: str, *flags: str) -> None:
        self._processes.append(Process(name, [binary(name), *flags], self.folder))
