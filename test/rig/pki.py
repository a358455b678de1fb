"""Keys and certificates for one run, made with the openssl command. They live in the run's temporary folder only."""

import pathlib
import subprocess

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


def _openssl(*arguments) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"openssl {arguments[0]}: {done.stderr}"


def issue(ca_crt: pathlib.Path, ca_key: pathlib.Path, crt: pathlib.Path, key: pathlib.Path) -> None:
    """A new key and certificate of an API server, signed by that authority."""
    # 10.96.0.1 and the names are what an in-cluster client may call the API server.
    _openssl(
        "req",
        "-x509",
        *_NEW_KEY,
        "-CA",
        ca_crt,
        "-CAkey",
        ca_key,
        "-keyout",
        key,
        "-out",
        crt,
        "-subj",
        "/CN=kube-apiserver",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-addext",
        "extendedKeyUsage=serverAuth",
        "-addext",
        "subjectAltName=IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes.default.svc",
    )


class Pki:
    """A certificate authority of its own, a server certificate for 127.0.0.1, and the service-account key pair."""

    def __init__(self, folder: pathlib.Path):
        folder.mkdir()
        self.ca_crt, self.ca_key = folder / "ca.crt", folder / "ca.key"
        self.server_crt, self.server_key = folder / "server.crt", folder / "server.key"
        self.tokens_key, self.tokens_pub = folder / "tokens.key", folder / "tokens.pub"
        _openssl(
            "req",
            "-x509",
            *_NEW_KEY,
            "-keyout",
            self.ca_key,
            "-out",
            self.ca_crt,
            "-subj",
            "/CN=rig CA",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        )
        issue(self.ca_crt, self.ca_key, self.server_crt, self.server_key)
        _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", self.tokens_key)
        _openssl("pkey", "-in", self.tokens_key, "-pubout", "-out", self.tokens_pub)
