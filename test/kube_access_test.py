"""How the real agent proves to a real API server who it is: plugins, certificates, files that are replaced."""

import os
import pathlib
import time

import pytest
import yaml

from rig import until
from rig.pki import Pki

SHORT = {"TAINT_NODE": "true", "ENOUGH_GRACE": 8}


def replace(file: pathlib.Path, text: str) -> None:
    """As a kubelet or cert-manager does it: a new file takes the name."""
    new = file.with_name(file.name + ".new")
    new.write_text(text)
    os.replace(new, file)


class Home:
    """A folder with a kubeconfig in it, for one agent."""

    def __init__(self, rig, server: str = ""):
        self.folder = rig.folder / "home"
        self.folder.mkdir()
        self.config = self.folder / "config"
        self.ca = self.folder / "ca.crt"
        self.ca.write_text(rig.control_plane.pki.ca_crt.read_text())
        self._server = server or rig.control_plane.server

    def kubeconfig(self, user: dict) -> pathlib.Path:
        """Its only user; the files it names are beside it."""
        cluster = {"server": self._server, "certificate-authority": "ca.crt"}
        document = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [{"name": "k", "cluster": cluster}],
            "users": [{"name": "u", "user": user}],
        }
        self.config.write_text(yaml.safe_dump(document))
        return self.config

    def plugin(self, life_s: int) -> dict:
        """A user that logs in by a plugin: it prints the file `token`, and notes in `runs` that it ran."""
        script = self.folder / "login"
        script.write_text(f"""#!/bin/sh
echo "$KUBERNETES_EXEC_INFO" >> {self.folder}/runs
TOKEN=$(cat {self.folder}/token) || exit 1
END=$(date -u -d "+{life_s} seconds" +%Y-%m-%dT%H:%M:%SZ)
cat <<END
{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",
 "status":{{"token":"$TOKEN","expirationTimestamp":"$END"}}}}
END
""")
        script.chmod(0o755)
        version = "client.authentication.k8s.io/v1"
        return {"exec": {"apiVersion": version, "command": "./login", "interactiveMode": "Never"}}

    def runs(self) -> int:
        file = self.folder / "runs"
        return len(file.read_text().splitlines()) if file.exists() else 0

    def ran_at(self) -> float:
        """When the plugin was run the last time."""
        return (self.folder / "runs").stat().st_mtime


@pytest.fixture
def node(rig):
    """One with a pod to be moved, and another one to move it to."""
    node, _ = rig.node("n1"), rig.node("n2")
    rig.deployment("web", on=node)
    return node


def drain(rig, agent, imds, node) -> None:
    imds.announce(spot=True, time_in_s=25)
    rig.until_gone_from(node, "web", at_most=15)
    result = agent.post_mortem()
    assert (result["moved"], result["untold"]) == (1, 0)


def test_plugin(rig, node):
    home, imds = Home(rig), rig.imds(node)

    def kubeconfig(account):
        (home.folder / "token").write_text(account.token)
        return home.kubeconfig(home.plugin(life_s=3600))

    agent = rig.agent(node, imds, SHORT, kubeconfig=kubeconfig)
    agent.wait_for_message("node found")
    drain(rig, agent, imds, node)
    assert home.runs() == 1, "one run was enough for all of it"
    assert rig.api_requests(user=agent.user, resource="pods/eviction")


def test_plugin_expiry(rig, node):
    home, imds = Home(rig), rig.imds(node)

    def kubeconfig(account):
        (home.folder / "token").write_text(account.token)
        return home.kubeconfig(home.plugin(life_s=3))

    agent = rig.agent(node, imds, SHORT, kubeconfig=kubeconfig)
    agent.wait_for_message("node found")
    until(lambda: time.time() > home.ran_at() + 4, 15, "the last credential expired")
    runs = home.runs()
    drain(rig, agent, imds, node)
    assert home.runs() > runs, "a new one for the evictions"


def test_plugin_refused(rig, node):
    proxy = rig.api_proxy()  # it counts
    home, imds = Home(rig, f"https://127.0.0.1:{proxy.port}"), rig.imds(node)

    def kubeconfig(account):
        (home.folder / "token").write_text("a-token-that-nobody-knows")
        (home.folder / "good").write_text(account.token)
        return home.kubeconfig(home.plugin(life_s=3600))

    agent = rig.agent(node, imds, SHORT, kubeconfig=kubeconfig)
    line = agent.wait_for_log("401 Unauthorized")
    assert "nobody-knows" not in agent.output(), line
    runs = home.runs()
    assert runs >= 2, "once more after a refusal"
    until(lambda: len(proxy.requests(status=401)) >= runs - 1, 2, "and not again and again: one run for each refusal")
    replace(home.folder / "token", (home.folder / "good").read_text())
    agent.wait_for_message("node found")


def test_plugin_failure(rig, node):
    home = Home(rig)
    agent = rig.agent(node, rig.imds(node), SHORT, kubeconfig=lambda _: home.kubeconfig(home.plugin(life_s=60)))
    agent.wait_for_log(f"kubeconfig {home.config}: users[u].user.exec: ")
    agent.wait_for_log(f'{home.folder}/login\\" ended with exit code 1; run it by hand to see why')
    assert "cat: " in agent.output(), "what the plugin says reaches the person"


def test_certificate(rig, node):
    home, imds = Home(rig), rig.imds(node)

    def kubeconfig(account):
        rig.control_plane.pki.client(account.user, home.folder)
        return home.kubeconfig({"client-certificate": "client.crt", "client-key": "client.key"})

    agent = rig.agent(node, imds, SHORT, kubeconfig=kubeconfig)
    agent.wait_for_message("node found")
    drain(rig, agent, imds, node)
    assert rig.api_requests(user=agent.user, resource="pods/eviction")


def test_token_file(rig, node):
    home, imds = Home(rig), rig.imds(node)
    other = rig.account("other")

    def kubeconfig(account):
        (home.folder / "token").write_text(account.token)
        return home.kubeconfig({"tokenFile": "token"})

    agent = rig.agent(node, imds, SHORT, kubeconfig=kubeconfig)
    agent.wait_for_message("node found")
    replace(home.folder / "token", other.token)
    drain(rig, agent, imds, node)
    assert rig.api_requests(user=other.user, resource="pods/eviction"), "the new token's"
    assert not rig.api_requests(user=agent.user, resource="pods/eviction")


def test_new_ca(rig, node):
    proxy, new = rig.api_proxy(), Pki(rig.folder / "new")
    home, imds = Home(rig, f"https://127.0.0.1:{proxy.port}"), rig.imds(node)
    agent = rig.agent(node, imds, SHORT, kubeconfig=lambda account: home.kubeconfig({"token": account.token}))
    agent.wait_for_message("node found")
    proxy.certificate(new.ca_crt, new.ca_key)
    proxy.cut()
    replace(home.ca, new.ca_crt.read_text())
    drain(rig, agent, imds, node)
    assert proxy.requests(method="POST", path="/eviction")
