"""Certificates for tests, made by the openssl command: a CA, a server of 127.0.0.1, a client."""

import os
import shutil
import subprocess
import tempfile


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


class Certificates:
    """`ca`, and by name `certificate(name)` and `key(name)`: paths of PEM files."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="fnkit-tls-")
        self.ca = self._path("ca.pem")
        openssl("req", "-x509", *self._new_key("ca"), "-out", self.ca, "-days", "2", "-subj", "/CN=ca")
        self.sign("server", "IP:127.0.0.1")
        self.sign("client", "DNS:client")

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _new_key(self, name):
        return (
            "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key(name)
        )

    def key(self, name):
        return self._path(f"{name}.key")

    def certificate(self, name):
        return self._path(f"{name}.pem")

    def sign(self, name, alternative_names):
        request, extensions = self._path("request"), self._path("extensions")
        openssl("req", *self._new_key(name), "-out", request, "-subj", f"/CN={name}")
        with open(extensions, "w", encoding="ascii") as out:
            out.write(f"subjectAltName={alternative_names}\n")
        openssl(
            "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.key("ca"),
            "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", self.certificate(name),
        )

    def server_options(self, port, clients="yes"):
        """For a store server that speaks TLS on `port`; `clients`: whether they need certificates."""
        return (
            "--tls-port", str(port), "--tls-cert-file", self.certificate("server"),
            "--tls-key-file", self.key("server"), "--tls-ca-cert-file", self.ca,
            "--tls-auth-clients", clients,
        )

    def flags(self):
        return (
            "--cache-ca", self.ca, "--cache-cert", self.certificate("client"),
            "--cache-key", self.key("client"),
        )

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)
