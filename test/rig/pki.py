"""Keys and certificates for one run, made with the openssl command. They live in the run's temporary folder only."""

import pathlib
import subprocess

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


def _openssl(*arguments) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"openssl {arguments[0]}: {done.stderr}"


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
        # 10.96.0.1 and the names are what an in-cluster client may call the API server.
        _openssl(
            "req",
            "-x509",
            *_NEW_KEY,
            "-CA",
            self.ca_crt,
            "-CAkey",
            self.ca_key,
            "-keyout",
            self.server_key,
            "-out",
            self.server_crt,
            "-subj",
            "/CN=kube-apiserver",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-addext",
            "extendedKeyUsage=serverAuth",
            "-addext",
            "subjectAltName=IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes.default.svc",
        )
        _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", self.tokens_key)
        _openssl("pkey", "-in", self.tokens_key, "-pubout", "-out", self.tokens_pub)

    def client(self, user: str, into: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
        """A client certificate that the API server takes for `user`, and its key, in the folder `into`."""
        certificate, key = into / "client.crt", into / "client.key"
        self._issue(certificate, key, f"/CN={user}", "extendedKeyUsage=clientAuth")
        return certificate, key

    def server(self, into: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
        """Another server certificate for 127.0.0.1, and its key, in the folder `into`."""
        certificate, key = into / "server.crt", into / "server.key"
        self._issue(certificate, key, "/CN=server", "extendedKeyUsage=serverAuth", "subjectAltName=IP:127.0.0.1")
        return certificate, key

    def _issue(self, certificate: pathlib.Path, key: pathlib.Path, subject: str, *extensions: str) -> None:
        by = ("-CA", self.ca_crt, "-CAkey", self.ca_key)
        more = [word for text in extensions for word in ("-addext", text)]
        _openssl("req", "-x509", *_NEW_KEY, *by, "-keyout", key, "-out", certificate, "-subj", subject, *more)
