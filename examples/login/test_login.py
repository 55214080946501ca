"""The login form in production: what it keeps, how the replicas share the load, and what a dead one costs (nothing)."""

from __future__ import annotations

import re
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from docker.models.containers import Container
from sqlalchemy import NullPool, create_engine, make_url, text

from slipway.core.container_paths import SPOOL
from tests.support import engine
from tests.support.example import Example
from tests.support.waiting import wait_until

NAME, PASSWORD = "Robert'); DROP TABLE account; --", "correct horse battery"
REPLICAS = ("web", "web-2", "web-3")
LOCK = text("LOCK TABLE account IN ACCESS EXCLUSIVE MODE")
WAITING = text("SELECT host(client_addr) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
BACK_SECONDS = 60


@pytest.fixture(scope="module")
def account(url: str, trust: ssl.SSLContext) -> str:
    """The name of an account whose password is PASSWORD."""
    with httpx.Client(base_url=url, verify=trust, follow_redirects=True, timeout=30) as client:
        assert submit(client, "register", NAME).status_code == 200
    return NAME


def submit(
    client: httpx.Client, page: str, name: str, password: str = PASSWORD, *, form: str = "", referer: str = ""
) -> httpx.Response:
    """Fills in the form of a page as a browser does: with the token that came with it, and saying where it was."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
    assert token, f"there is no form at {page}"
    data = {"csrf_token": token[1], "name": name, "password": password}
    return client.post(form or page, data=data, headers={"Referer": referer or str(client.base_url.join(page))})


def served_by(site: Example, path: str, method: str = "GET") -> Counter[str]:
    """{address of a replica: how many requests it answered up to now}, as nginx tells it; where one gave no answer and
    another was asked, the key is both, with a comma between."""
    return Counter(entry["upstream_address"] for entry in site.asked(path) if entry["method"] == method)


@contextmanager
def logging_in(site: Example, trust: ssl.SSLContext, *, cut_off: int = 0) -> Iterator[None]:
    """Visitors ask for pages, and one logs in again and again, until the block ends; then the test fails if one of them
    could not, but for so many answers that were `cut_off` after their head."""
    url = site.url

    def log_in() -> str:
        try:
            with httpx.Client(base_url=url, verify=trust, timeout=30) as client:
                status = submit(client, "login", NAME).status_code
        except (httpx.TransportError, AssertionError) as problem:
            return repr(problem)
        return "" if status == httpx.codes.SEE_OTHER else f"status {status}"

    paths = ("login", "health", "static/login.css")
    with site.under_load(*paths, also=log_in, cut_off=cut_off, verify=trust):
        yield


def test_plain_http_leads_to_https(site: Example, url: str) -> None:
    address, port = engine.published(site.container("edge"), 80)
    answer = httpx.get(f"http://{address}:{port}/login?next=1")
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{url}login?next=1")


def test_whatever_is_typed_is_a_value_and_never_sql(site: Example, visitor: httpx.Client, account: str) -> None:
    for name in ("' OR 1=1 --", f"{account}' --", "nobody"):
        assert submit(visitor, "login", name).status_code == 401, name
    assert submit(visitor, "login", account, "another password").status_code == 401
    assert "Hello, Robert&#39;); DROP TABLE account; --" in submit(visitor, "login", account).text
    assert site.psql("SELECT count(*) FROM account WHERE name LIKE 'Robert%'") == "1"


def test_of_a_password_only_its_hash_is_kept_with_a_salt_of_its_own(site: Example, visitor: httpx.Client) -> None:
    for name in ("Ada", "Alan"):
        submit(visitor, "register", name)
    hashes = site.psql("SELECT password_hash FROM account WHERE name IN ('Ada', 'Alan')").splitlines()
    assert len(set(hashes)) == 2
    assert all(re.fullmatch(r"scrypt:32768:8:1\$\w{16}\$[0-9a-f]{128}", each) for each in hashes)
    assert PASSWORD not in site.slipway("logs")


def test_who_logged_in_at_one_replica_is_known_to_all_until_logging_out(
    site: Example, visitor: httpx.Client, account: str
) -> None:
    [answer] = submit(visitor, "login", account).history
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(answer.headers["Set-Cookie"].split("; "))
    before = served_by(site, "/")
    assert all("Hello" in visitor.get("").text for _ in REPLICAS)
    assert list((served_by(site, "/") - before).values()) == [1, 1, 1]
    submit(visitor, "", "", form="logout")
    assert visitor.get("").url.path == "/login"


def test_a_form_from_another_site_is_refused(visitor: httpx.Client, account: str) -> None:
    assert visitor.post("login", data={"name": account, "password": PASSWORD}).status_code == 400
    visitor.get("login")
    assert submit(visitor, "login", account, referer="https://elsewhere.example.org/").status_code == 400


def test_the_load_is_spread_evenly_over_the_replicas(site: Example, visitor: httpx.Client) -> None:
    before = served_by(site, "/login")
    for _ in range(300):
        visitor.get("login")
    share = served_by(site, "/login") - before
    assert len(share) == len(REPLICAS)
    assert max(share.values()) - min(share.values()) <= 1


def test_each_replica_has_its_limits_and_nowhere_to_write(site: Example) -> None:
    for name in REPLICAS:
        replica = site.container(name)
        limits = replica.attrs["HostConfig"]
        assert (limits["Memory"], limits["NanoCpus"]) == (256 * 2**20, 500_000_000), name
        assert limits["ReadonlyRootfs"], name
        writable = [mount["Destination"] for mount in replica.attrs["Mounts"] if mount["RW"]]
        assert writable == [SPOOL], f"{name}: large uploads while they are read, and nothing else"
        for folder in ("/home/app/web", "/run/slipway", "/opt/venv"):
            code, said = engine.run_in(replica, "touch", f"{folder}/here")
            assert code, f"{folder} of {name}"
            assert "Read-only file system" in said


def test_a_replica_is_killed_over_a_log_in_and_no_visitor_notices(
    site: Example, trust: ssl.SSLContext, account: str
) -> None:
    # nginx cannot ask another replica for an answer whose head a visitor already has: one such at each death, at most.
    with logging_in(site, trust, cut_off=len(REPLICAS)):
        for _ in REPLICAS:
            forms, log_ins = served_by(site, "/login"), served_by(site, "/login", "POST")
            with accounts_locked(site) as waiting:
                replica = waiting()
                site.kill_process(replica)
            wait_until_restarted(replica)
            wait_until("all three answer", lambda forms=forms: takes_part(site, forms), BACK_SECONDS, pause=1)  # type: ignore[misc]
            asked = served_by(site, "/login", "POST") - log_ins
            assert any(", " in addresses for addresses in asked), "another replica was asked for the log-in"


def test_a_form_that_makes_an_account_is_not_sent_to_another_replica(site: Example, visitor: httpx.Client) -> None:
    with ThreadPoolExecutor() as threads:
        with accounts_locked(site) as waiting:
            answer = threads.submit(submit, visitor, "register", "Grace")
            replica = waiting()
            site.kill_process(replica)
            assert answer.result().status_code == 503
        assert not [asked for asked in served_by(site, "/register", "POST") if ", " in asked]
    wait_until_restarted(replica)
    assert site.psql("SELECT count(*) FROM account WHERE name = 'Grace'") == "0"
    assert "Hello, Grace" in submit(visitor, "register", "Grace").text


@contextmanager
def accounts_locked(site: Example) -> Iterator[Callable[[], Container]]:
    """Until the block ends no account can be read or made: who asks for one is not answered. What it gives waits for
    such a request, and is the replica that has it."""
    address = make_url(site.variables("web")["FLASK_DATABASE_URL"])
    server = engine.address(site.container("postgres"))
    database = create_engine(address.set(drivername="postgresql+psycopg2", host=server), poolclass=NullPool)
    replicas = [site.container(name) for name in REPLICAS]

    def found() -> list[Container]:
        with database.connect() as connection:
            waiting = set(connection.scalars(WAITING))
        return [each for each in replicas if waiting & set(engine.addresses(each))]

    with database.connect() as connection:
        connection.execute(LOCK)
        yield lambda: wait_until("a replica waits for the table", found, BACK_SECONDS)[0]


def wait_until_restarted(killed: Container) -> None:
    """`killed` is as it was before."""
    restarts = killed.attrs["RestartCount"]

    def restarted() -> bool:
        return engine.health(killed) == "healthy" and killed.attrs["RestartCount"] > restarts

    wait_until(f"{killed.name} was started again", restarted, BACK_SECONDS)


def takes_part(site: Example, before: Counter[str]) -> bool:
    """Whether each replica has answered more than a few requests since."""
    share = served_by(site, "/login") - before
    return len([address for address, count in share.items() if "," not in address and count > 5]) >= len(REPLICAS)


def test_a_second_up_changes_nothing(site: Example) -> None:
    site.assert_settled()


def test_a_change_of_code_loses_no_request(
    site: Example, visitor: httpx.Client, trust: ssl.SSLContext, account: str
) -> None:
    site.edit("services/web/login/templates/home.html", "Hello,", "Hello again,")
    with logging_in(site, trust):
        site.slipway("up", "--yes")
    assert "Hello again," in submit(visitor, "login", account).text


def test_nothing_is_left_of_it(site: Example) -> None:
    site.assert_destroyed_whole()
