"""Keys and certificates for one run, made with the openssl command. They live in the run's temporary folder only."""

import pathlib
import subprocess

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


def _openssl(*arguments) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"openssl {arguments[0]}: {done.stderr}"


# 10.96.0.1 and the names are what an in-cluster client may call the API server.
_API_SERVER = (
    "extendedKeyUsage=serverAuth",
    "subjectAltName=IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes.default.svc",
)


def _sign(by: tuple, crt: pathlib.Path, key: pathlib.Path, subject: str, *extensions: str) -> None:
    more = [word for text in extensions for word in ("-addext", text)]
    _openssl("req", "-x509", *_NEW_KEY, *by, "-keyout", key, "-out", crt, "-subj", subject, *more)


def issue(
    ca_crt: pathlib.Path,
    ca_key: pathlib.Path,
    crt: pathlib.Path,
    key: pathlib.Path,
    name: str = "kube-apiserver",
    extensions: tuple = _API_SERVER,
) -> None:
    """A new key and certificate, of an API server unless told otherwise, signed by that authority."""
    _sign(("-CA", ca_crt, "-CAkey", ca_key), crt, key, f"/CN={name}", "basicConstraints=critical,CA:FALSE", *extensions)


class Pki:
    """A certificate authority of its own, a server certificate for 127.0.0.1, and the service-account key pair."""

    def __init__(self, folder: pathlib.Path):
        folder.mkdir()
        self.ca_crt, self.ca_key = folder / "ca.crt", folder / "ca.key"
        self.server_crt, self.server_key = folder / "server.crt", folder / "server.key"
        self.tokens_key, self.tokens_pub = folder / "tokens.key", folder / "tokens.pub"
        _sign(
            (),
            self.ca_crt,
            self.ca_key,
            "/CN=rig CA",
            "basicConstraints=critical,CA:TRUE",
            "keyUsage=critical,keyCertSign,cRLSign",
        )
        issue(self.ca_crt, self.ca_key, self.server_crt, self.server_key)
        _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", self.tokens_key)
        _openssl("pkey", "-in", self.tokens_key, "-pubout", "-out", self.tokens_pub)

    def client(self, user: str, into: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
        """A client certificate that the API server takes for `user`, and its key, in the folder `into`."""
        certificate, key = into / "client.crt", into / "client.key"
        issue(self.ca_crt, self.ca_key, certificate, key, user, ("extendedKeyUsage=clientAuth",))
        return certificate, key
