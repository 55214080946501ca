"""Has every certificate issued, and renewed in time, for as long as the container runs.

certbot speaks with the authority and keeps account and certificates in DATA. This program decides when to run it, puts
what it got where nginx reads it (SHARED), each certificate in one file and in one step, and writes down how it went. A
renewal that fails changes nothing: the old certificate stays, and the next attempt comes after a growing pause. Each
certificate has a key of its own; those of former ones are removed.

    python renew.py CONFIGURATION   see Configuration, as JSON
    python renew.py --check         exit code 0 as long as the program is at work
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from output import place, reason

DATA, SHARED, SCRATCH = Path("/var/lib/certbot"), Path("/srv/tls"), Path("/tmp/certbot")  # noqa: S108 - a tmpfs
ALIVE = Path("/tmp/alive")  # noqa: S108
CERTBOT = (sys.executable, str(Path(__file__).with_name("patient.py")), "certonly", "--non-interactive", "--agree-tos")
SHORT_LIVED = timedelta(days=10)
USUAL = 12 * 3600.0
"""Seconds between two runs of certbot that nothing calls for: the authority may want a certificate renewed early (ARI),
and asks to be asked no more often than this."""
RETRY, LONGEST_RETRY = 30.0, 3600.0
"""Seconds until a second attempt, doubled after each. Let's Encrypt counts five failures an hour for a name."""
BEAT = 20.0
"""Seconds between two signs of life, at most."""
RUN = 300
"""Seconds that certbot may take."""
ROOM = 64 * 1024
"""Bytes that a renewal needs at most: an account, an order, a key and a chain."""
SILENT = RUN + 4 * BEAT
GONE = "accountDoesNotExist"
"""The authority's word for an account that it has forgotten, as one does that was made anew."""


@dataclass(frozen=True)
class Configuration:
    """`certificates` are {name: host names}, `directory` the authority's URL; `bundle` is a file of certificates by
    which to trust that URL, "" the usual ones. Another `generation` wants every certificate anew, with another key."""

    certificates: dict[str, list[str]]
    directory: str
    email: str = ""
    bundle: str = ""
    generation: int = 0


@dataclass
class Certificate:
    """One certificate: what is known of it, and when to look at it again (seconds of a clock that never jumps)."""

    name: str
    hosts: list[str]
    configuration: Configuration
    error: str = ""
    failing_since: str = ""
    failures: int = 0
    next_run: float = 0.0
    leaf: x509.Certificate | None = field(default=None, repr=False)

    @property
    def live(self) -> Path:
        return DATA / "live" / self.name

    @property
    def delivered(self) -> Path:
        return SHARED / "certificates" / f"{self.name}.pem"

    def attend(self, clock: float) -> None:
        """Runs certbot if the time has come, and says when it comes again."""
        if clock < self.next_run:
            return
        try:
            error = self.renewed()
        except OSError as problem:  # a full volume, say: the pauses hold all the same
            error = f"its files cannot be written: {problem}"
        if error:
            print(f"{self.name}: {error}", file=sys.stderr, flush=True)
            self.failing_since = self.failing_since or datetime.now(UTC).isoformat(timespec="seconds")
            self.failures += 1
        else:
            self.failing_since, self.failures = "", 0
        self.error = error
        self.next_run = clock + self.pause(datetime.now(UTC))

    def renewed(self) -> str:
        """Has certbot do its work and takes up what it got; returns what went wrong. Raises OSError where there is no
        room for it, having asked the authority for nothing."""
        for folder in (DATA, SHARED):
            place(folder / "room", bytes(ROOM), 0o600)
            (folder / "room").unlink()
        rotating = self.generation != self.configuration.generation
        error = self.run(anew=rotating)
        self.load()
        if not error and self.missing():
            error = "certbot ended well and left no certificate for these names"
        if not error:
            if rotating:
                place(self.data / "generation", str(self.configuration.generation).encode(), 0o600)
            self.forget_former()
        return error

    def pause(self, now: datetime) -> float:
        """Seconds until certbot is to run again, given how the last run went."""
        life = (self.leaf.not_valid_after_utc - self.leaf.not_valid_before_utc) if self.leaf else None
        if self.failures:
            patience = min(LONGEST_RETRY, RETRY * float(1 << min(self.failures - 1, 10)))
            return max(1.0, min(patience, life.total_seconds() / 20)) if life else patience
        assert self.leaf is not None
        assert life is not None
        due = self.leaf.not_valid_after_utc - life / (2 if life < SHORT_LIVED else 3)
        # Not at once again, should certbot think that it is too early.
        return max(min(USUAL, (due - now).total_seconds() + 0.5), min(60.0, life.total_seconds() / 20), 1.0)

    def missing(self) -> bool:
        """Whether there is no certificate for exactly these names."""
        if self.leaf is None:
            return True
        names = self.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return set(names.get_values_for_type(x509.DNSName)) != set(self.hosts)

    @property
    def data(self) -> Path:
        """What this program itself remembers of the certificate."""
        return DATA / "slipway" / self.name

    @property
    def generation(self) -> int:
        """Of the certificate that is there."""
        file = self.data / "generation"
        return int(file.read_text()) if file.exists() else 0

    def forget_former(self) -> None:
        """Removes the keys and chains that no certificate uses any more: certbot keeps them all."""
        used = {link.resolve() for link in self.live.glob("*.pem")}
        for file in (DATA / "archive" / self.name).glob("*.pem"):
            if used and file not in used:
                file.unlink()

    def run(self, *, anew: bool = False) -> str:
        """Lets certbot issue the certificate, or renew it if it is time, or in any case; returns what went wrong."""
        chosen = self.configuration
        account = ("--email", chosen.email) if chosen.email else ("--register-unsafely-without-email",)
        names = [word for host in self.hosts for word in ("-d", host)]
        command = [
            *CERTBOT, *account, "--server", chosen.directory, "--cert-name", self.name, *names,
            "--force-renewal" if anew else "--keep-until-expiring", "--renew-with-new-domains",
            "--key-type", "ecdsa", "--elliptic-curve", "secp256r1",
            "--webroot", "--webroot-path", str(SHARED / "challenges"),
            "--config-dir", str(DATA), "--work-dir", str(SCRATCH), "--logs-dir", str(SCRATCH / "logs"),
        ]  # fmt: skip
        environment = dict(os.environ) | ({"REQUESTS_CA_BUNDLE": chosen.bundle} if chosen.bundle else {})
        try:
            done = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", timeout=RUN, check=False,
            )  # fmt: skip
            # Only the log tells what kind of error it was.
            if done.returncode and any(GONE in log.read_text() for log in (SCRATCH / "logs").glob("*.log")):
                shutil.rmtree(DATA / "accounts", ignore_errors=True)
        except subprocess.TimeoutExpired:
            return f"certbot did not end within {RUN} s"
        finally:
            shutil.rmtree(SCRATCH / "logs", ignore_errors=True)  # a tmpfs would fill up
        return reason(done.stdout) if done.returncode else ""

    def load(self) -> None:
        """Takes what certbot has to where nginx reads it, if it is whole and not there yet."""
        try:
            chain, key = ((self.live / file).read_bytes() for file in ("fullchain.pem", "privkey.pem"))
            leaf = x509.load_pem_x509_certificates(chain)[0]
            public = load_pem_private_key(key, None).public_key()
        except (OSError, ValueError):
            return
        form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if public.public_bytes(*form) != leaf.public_key().public_bytes(*form):
            return
        self.leaf = leaf
        text = key.strip() + b"\n" + chain.strip() + b"\n"
        if not self.delivered.exists() or self.delivered.read_bytes() != text:
            place(self.delivered, text, 0o400)
            print(f"{self.name}: certificate until {leaf.not_valid_after_utc:%Y-%m-%d %H:%M}", flush=True)

    def told(self) -> dict[str, object]:
        """For `slipway status`."""
        return {
            "hosts": self.hosts,
            "generation": self.generation,
            "expires": self.leaf.not_valid_after_utc.isoformat() if self.leaf else None,
            "error": self.error,
            "failing_since": self.failing_since,
        }


def forget_others(names: set[str]) -> None:
    """Removes what was handed over for names that are no longer declared: nginx reads it no more."""
    for file in (SHARED / "certificates").glob("*.pem"):
        if file.stem not in names:
            file.unlink()


def work(configuration: Configuration, stopping: threading.Event) -> None:
    """Until `stopping` is set."""
    certificates = [Certificate(name, hosts, configuration) for name, hosts in configuration.certificates.items()]
    forget_others(set(configuration.certificates))
    for each in certificates:
        with contextlib.suppress(OSError):  # the first attempt says so
            each.load()
    while not stopping.is_set():
        for each in certificates:
            each.attend(time.monotonic())
            ALIVE.touch()
        told = {each.name: each.told() for each in certificates}
        with contextlib.suppress(OSError):  # what went wrong is in the log; ending here would forget the pauses
            place(SHARED / "status.json", json.dumps(told).encode(), 0o400)
        wait = min(each.next_run for each in certificates) - time.monotonic()
        stopping.wait(min(BEAT, max(wait, 0.2)))


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        return int(not ALIVE.exists() or time.time() - ALIVE.stat().st_mtime > SILENT)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    work(Configuration(**json.loads(sys.argv[1])), stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())
