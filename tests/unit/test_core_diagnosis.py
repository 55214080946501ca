"""What is said of a container that is not fit to serve."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.core.diagnosis import Evidence, Listener, diagnose, listeners, refused
from slipway.core.log_causes import in_log

RUNNING: dict[str, Any] = {"Status": "running", "ExitCode": 0, "StartedAt": "2026-01-02T03:04:05.6Z"}
HEALTHY = {**RUNNING, "Health": {"Status": "healthy", "Log": []}}
ENVIRON = """Traceback (most recent call last):
  File "/home/app/web/app.py", line 3, in <module>
    KEY = os.environ["SHOP_KEY"]
  File "<frozen os>", line 717, in __getitem__
KeyError: 'SHOP_KEY'
[1] [ERROR] Reason: Worker failed to boot."""


def ended(code: int, **more: Any) -> dict[str, Any]:
    return {"Status": "exited", "ExitCode": code, "OOMKilled": False, **more}


def unwell(status: str, said: str, start: str = "2026-01-02T03:05:00Z", checks: int = 1) -> dict[str, Any]:
    log = [{"Start": start, "ExitCode": 1, "Output": said}] * checks
    return {**RUNNING, "Health": {"Status": status, "Log": log}}


def listening(*ports: int, reachable: bool = True) -> frozenset[Listener]:
    return frozenset(Listener(port, reachable) for port in ports)


CASES: dict[str, tuple[Evidence, list[str]]] = {
    "crash at start": (Evidence(state=ended(3), log="boom"), ["ended with exit code 3"]),
    "crash loop with an unknown error": (
        Evidence(state={"Status": "restarting", "ExitCode": 1}, log="Traceback …\nshop.OrderError: no stock"),
        ["keeps ending (last exit code 1)", "shop.OrderError: no stock"],
    ),
    "healthy, then ends again and again": (
        Evidence(state=RUNNING, restarts=1, was_well=True),
        ["was well, but keeps ending"],
    ),
    "started again since": (
        Evidence(state={**RUNNING, "ExitCode": 3}, restarts=2),
        ["keeps ending (last exit code 3)"],
    ),
    "started again since, and nobody knows why it ended": (
        Evidence(state={**RUNNING, "ExitCode": None}, restarts=2),
        ["keeps ending"],
    ),
    "no health path": (
        Evidence(state=unwell("starting", "HTTP status 404", checks=2), port=5000, listeners=listening(5000),
                 waited=11),
        ["was not healthy after 11 s", "there is nothing at that path", "`health: /`"],
    ),
    "a health path behind a login": (
        Evidence(state=unwell("unhealthy", "curl: (22) The requested URL returned error: 401", checks=2)),
        ["is unhealthy", "wants a login", "`health:`"],
    ),
    "a health check by a name that the app does not take": (
        Evidence(state=unwell("starting", "HTTP status 400", checks=2), log="a line"),
        ["TRUSTED_HOSTS", "`edge.hosts`"],
    ),
    "404 on ready": (
        Evidence(state=HEALTHY, was_well=True, port=5000, listeners=listening(5000), path="/redy", status=404),
        ["answered GET /redy through nginx with status 404", "`ready:`"],
    ),
    "healthy, then dies": (Evidence(state=ended(1), was_well=True), ["was well and then ended with exit code 1"]),
    "never healthy": (
        Evidence(state=unwell("starting", "…\nurllib.error.HTTPError: HTTP Error 500: NO\n"), waited=12.4),
        ["was not healthy after 12 s", "HTTP Error 500: NO"],
    ),
    "unhealthy": (Evidence(state=unwell("unhealthy", "refused")), ["is unhealthy", "says: refused"]),
    "a health check from before its last start says nothing": (
        Evidence(state=unwell("starting", "stale", start="2026-01-02T05:04:04.123456789+02:00")),
        ["was not healthy after 0 s"],
    ),
    "wrong port": (
        Evidence(state=unwell("unhealthy", "refused"), port=5000, listeners=listening(8000)),
        ["listens on port 8000, and not on its declared port 5000", "`port: 8000`"],
    ),
    "loopback only": (
        Evidence(state=HEALTHY, was_well=True, port=5000, listeners=listening(5000, reachable=False), path="/ready",
                 status=502),
        ["answered GET /ready through nginx with status 502", "127.0.0.1 only", "0.0.0.0:5000"],
    ),
    "too slow": (
        Evidence(state=unwell("starting", "refused"), port=5000, listeners=frozenset(), waited=10),
        ["was not healthy after 10 s", "too slow: it listens on no port yet", "`deployTimeout`"],
    ),
    "too slow behind an open port": (
        Evidence(state=unwell("starting", "TimeoutError: timed out"), port=5000, listeners=listening(5000)),
        ["too slow: it listens on port 5000 and has not answered yet", "`deployTimeout`"],
    ),
    "500 on ready": (
        Evidence(state=HEALTHY, was_well=True, port=5000, listeners=listening(5000), path="/ready", status=500),
        ["is healthy, but answered GET /ready through nginx with status 500"],
    ),
    "no answer": (Evidence(state=HEALTHY, was_well=True, path="/", status=0), ["GET / through nginx with nothing"]),
    "never asked": (Evidence(state=HEALTHY, was_well=True, waited=10), ["was not ready after 10 s"]),
    "out of memory": (
        Evidence(state=ended(137, OOMKilled=True), memory=64, log="MemoryError"),
        ["exit code 137", "out of memory: it needs more than its limit of 64 MiB", "`memory`"],
    ),
    "killed": (Evidence(state=ended(137)), ["exit code 137", "SIGKILL"]),
    "no such command": (Evidence(state=ended(127)), ["its command is not in its image"]),
    "the engine could not start it": (
        Evidence(state={**RUNNING, "Status": "created", "ExitCode": 128, "Error": "no such device"}),
        ["the engine says: no such device"],
    ),
    "missing variable": (Evidence(state=ended(3), log=ENVIRON), ["the variable SHOP_KEY is not set", "`secrets`"]),
    "import error": (
        Evidence(state=ended(3), log="ModuleNotFoundError: No module named 'flask_cors'"),
        ["import error: there is no module flask_cors", "requirements"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("outputs", "status"),
    [
        (["HTTP status 404", "HTTP status 404"], 404),
        (["refused", "wget: server returned error: HTTP/1.1 403 Forbidden", "HTTP status 403"], 403),
        (["HTTP status 404"], 0),
        (["HTTP status 404", "refused"], 0),
        (["HTTP status 503", "HTTP status 503"], 0),
        (["HTTP status 500", "HTTP status 404"], 0),
        (["HTTP status 429", "HTTP status 429"], 0),
        (["refused", "refused", "timed out"], 0),
    ],
)
def test_a_repeated_refusal_is_final_and_whatever_a_start_may_look_like_is_not(outputs: list[str], status: int) -> None:
    checks = [check for output in outputs for check in unwell("starting", output)["Health"]["Log"][-1:]]
    assert refused({**RUNNING, "Health": {"Status": "starting", "Log": checks}}) == status


@pytest.mark.parametrize("case", CASES)
def test_the_report_names_the_cause(case: str) -> None:
    seen, says = CASES[case]
    found = diagnose(seen)
    told = f"{found.what} → {found.hint}"
    assert [text for text in says if text not in told] == [], told


@pytest.mark.parametrize(
    ("log", "says"),
    [
        ("ImportError: cannot import name 'x' from 'y'", "import error: cannot import name 'x'"),
        ("  File 'a.py'\nSyntaxError: '(' was never closed", "not valid: SyntaxError: '(' was never closed"),
        ("Failed to find attribute 'app' in 'manage'.", "manage has no app"),
        ("RuntimeError: DATABASE_URL environment variable is not set", "the variable DATABASE_URL is not set"),
        ("Missing required environment variable: API_TOKEN", "the variable API_TOKEN is not set"),
        ('could not translate host name "db" to address', "the name db is not found (DNS)"),
        ("Failed to resolve 'api.example.org' ([Errno -2]", "the name api.example.org is not found (DNS)"),
        ("[Errno -3] Temporary failure in name resolution", "a host name is not found (DNS)"),
        ('FATAL:  password authentication failed for user "web_owner_a"', "refuses the password of web_owner_a"),
        ("psycopg2.errors.LockNotAvailable: canceling statement due to lock timeout", "lock timeout"),
        ("canceling statement due to statement timeout", "statement timeout"),
        ('relation "orders" does not exist', "the table orders is not in its database"),
        ("permission denied for schema public", "no right to public"),
        ("OSError: [Errno 30] Read-only file system: '/app/cache'", "it writes to /app/cache, which is read-only"),
        ("PermissionError: [Errno 13] Permission denied: '/data/x'", "its user may not use /data/x"),
        ("chown: changing ownership of '/data': Operation not permitted", "what only root may: chown: changing"),
        (
            "error: failed switching to 'app': operation not permitted\ngosu: x: must be suid",
            "what only root may: gosu",
        ),
        ("Worker (pid:7) was sent SIGKILL! Perhaps out of memory?", "out of memory"),
        ("[ERROR] Connection in use: ('0.0.0.0', 5000)", "its port is taken"),
        ("gunicorn: error: unrecognized arguments: --no-control-socket", "too old to know --no-control-socket"),
        ("/run/slipway/exec: 22: exec: gunicron: not found", "its command is not in its image"),
        ('connection to server at "10.0.0.9", port 5432 failed: Connection refused', "nothing answers at 10.0.0.9"),
    ],
)
def test_a_log_tells_its_cause(log: str, says: str) -> None:
    found = in_log(f"an ordinary line\n{log}\nanother")
    assert found
    assert says in found.what


@pytest.mark.parametrize("log", ["", "GET /KeyError 200", "DATABASE_URL is set", "KeyError: 'name'", "[INFO] Booting"])
def test_an_ordinary_log_tells_none(log: str) -> None:
    assert in_log(log) is None


def test_listening_sockets_are_read_without_the_engines_own_resolver() -> None:
    table = """  sl  local_address rem_address   st tx_queue
   0: 0B00007F:9C41 00000000:0000 0A 00000000:00000000
   1: 0100007F:1388 00000000:0000 0A 00000000:00000000
   2: 00000000:1F40 00000000:0000 0A 00000000:00000000
   3: 0500A8C0:1F90 0600A8C0:D431 01 00000000:00000000
  sl  local_address
   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000
   1: 00000000000000000000000000000000:0051 00000000000000000000000000000000:0000 0A 00000000
   2: 0000000000000000FFFF00000100007F:0052 00000000000000000000000000000000:0000 0A 00000000"""
    assert listeners(table.splitlines()) == {
        Listener(5000, reachable=False),
        Listener(8000, reachable=True),
        Listener(80, reachable=False),
        Listener(81, reachable=True),
        Listener(82, reachable=False),
    }
