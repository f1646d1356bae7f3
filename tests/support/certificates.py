"""An authority of the test's own, and certificates by it, made with openssl in a few milliseconds each."""

from __future__ import annotations

import base64
import hashlib
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.needs import need_program


@dataclass(frozen=True)
class Certificate:
    """PEM files of a certificate and its key."""

    certificate: Path
    key: Path

    @property
    def pin(self) -> str:
        """The pin of its public key, worked out by openssl rather than by the code under test."""
        openssl = need_program("openssl")
        public = subprocess.run(
            [openssl, "x509", "-in", str(self.certificate), "-pubkey", "-noout"], check=True, capture_output=True
        ).stdout
        der = subprocess.run(
            [openssl, "pkey", "-pubin", "-outform", "DER"], input=public, check=True, capture_output=True
        ).stdout
        return base64.b64encode(hashlib.sha256(der).digest()).decode()

    def server_context(self, *protocols: str) -> ssl.SSLContext:
        """For a server of the test's own."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.certificate, self.key)
        if protocols:
            made.set_alpn_protocols(list(protocols))
        return made


class Authority:
    """Signs certificates for names and addresses; ``ca_file`` is what a client has to trust."""

    def __init__(self, directory: Path) -> None:
        self._openssl = need_program("openssl")
        self._directory = directory
        self.ca_file = directory / "authority.pem"
        self._key = directory / "authority.key"
        self._run("req", "-x509", *_new_key("ec", self._key), "-out", self.ca_file, "-subj", "/CN=Test authority")

    def issue(self, *names: str, days: int = 1, key: str = "ec") -> Certificate:
        """A certificate for names and addresses; ``days`` negative: it has expired already."""
        kinds = ["IP" if name.replace(".", "").isdigit() or ":" in name else "DNS" for name in names]
        alternatives = ",".join(f"{kind}:{name}" for kind, name in zip(kinds, names, strict=True))
        label = f"{names[0].replace(':', '_')}-{days}-{key.replace(':', '')}"
        made = Certificate(self._directory / f"{label}.pem", self._directory / f"{label}.key")
        wish = self._directory / f"{label}.csr"
        self._run(
            "req", *_new_key(key, made.key), "-out", wish, "-subj", f"/CN={names[0]}",
            "-addext", f"subjectAltName={alternatives}", "-addext", "basicConstraints=critical,CA:FALSE",
        )  # fmt: skip
        self._run(
            "x509", "-req", "-in", wish, "-CA", self.ca_file, "-CAkey", self._key, "-copy_extensions", "copyall",
            "-days", str(days), "-out", made.certificate,
        )  # fmt: skip
        return made

    def _run(self, *arguments: str | Path) -> None:
        subprocess.run([self._openssl, *map(str, arguments)], check=True, capture_output=True)


def _new_key(kind: str, path: Path) -> list[str]:
    size = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["-newkey", kind]
    return [*size, "-nodes", "-keyout", str(path)]
