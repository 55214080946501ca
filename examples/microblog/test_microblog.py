"""The microblog in production: what visitors see, what restarts by itself, and an update while people post."""

from __future__ import annotations

import json
import re
import ssl
import uuid

import httpx
import pytest

from tests.support import engine
from tests.support.example import Example
from tests.support.waiting import wait_until

PASSWORD = "correct horse battery"
BACK_SECONDS = 60
WRITTEN_SECONDS = 20
WORKERS = ("cat", "/proc/1/task/1/children")
"""Prints the numbers of gunicorn's worker processes; it is the container's first process itself."""
REVISION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0007", "0006"


def upgrade():
    op.add_column("post", sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True))
"""


class Member:
    """Somebody with an account, in a browser of their own."""

    def __init__(self, url: str, trust: ssl.SSLContext, name: str) -> None:
        self.name = name
        self.browser = httpx.Client(base_url=url, verify=trust, follow_redirects=True, timeout=30)
        assert self.submit("register", name=name, password=PASSWORD).url.path == "/"

    def page(self, path: str = "") -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return answer.text

    def submit(self, page: str, form: str = "", **fields: str) -> httpx.Response:
        """Sends a form of a page with these fields filled in, as a browser does."""
        hidden = dict(re.findall(r'<input[^>]* name="(\w+)" type="hidden" value="([^"]*)"', self.page(page)))
        where = {"Referer": str(self.browser.base_url.join(page))}
        return self.browser.post(form or page, data=hidden | fields, headers=where)

    def post(self, body: str) -> str:
        """ "" when it was acknowledged, else what went wrong."""
        try:
            answer = self.submit("", body=body)
        except (httpx.TransportError, AssertionError) as problem:
            return repr(problem)
        return "" if body in answer.text else f"status {answer.status_code}"


@pytest.fixture(scope="module")
def ada(url: str, trust: ssl.SSLContext) -> Member:
    return Member(url, trust, "ada")


@pytest.fixture(scope="module")
def bob(url: str, trust: ssl.SSLContext) -> Member:
    return Member(url, trust, "bob")


def test_plain_http_leads_to_https_except_for_the_challenges_of_an_authority(site: Example, url: str) -> None:
    address, port = engine.published(site.container("edge"), 80)
    answer = httpx.get(f"http://{address}:{port}/explore")
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{url}explore")
    assert httpx.get(f"http://{address}:{port}/.well-known/acme-challenge/token").status_code == 404


def test_only_nginx_can_be_reached_from_outside(site: Example) -> None:
    published = {name: each.attrs["NetworkSettings"]["Ports"] for name, each in site.containers().items()}
    assert {name for name, ports in published.items() if any(ports.values())} == {"edge"}


def test_a_home_page_has_the_posts_of_those_whom_one_follows(ada: Member, bob: Member) -> None:
    assert ada.post("Hello from Ada") == ""
    assert "Hello from Ada" in bob.page("explore")
    assert "Hello from Ada" not in bob.page()
    bob.submit("accounts/ada", "accounts/ada/followers")
    assert "Hello from Ada" in bob.page()
    bob.submit("accounts/ada", "accounts/ada/followers/delete")
    assert "Hello from Ada" not in bob.page()


def test_the_same_form_sent_twice_is_one_post(site: Example, ada: Member) -> None:
    key = str(uuid.uuid4())
    for _ in range(2):
        assert ada.submit("", body="Once", key=key).status_code == 200
    assert site.psql("SELECT count(*) FROM post WHERE body = 'Once'") == "1"


def test_a_form_from_elsewhere_is_refused(ada: Member) -> None:
    assert ada.browser.post("accounts/bob/followers").status_code == 400
    assert ada.browser.post("", data={"body": "Not mine"}).status_code == 422


def test_links_with_a_host_name_are_https(url: str, ada: Member) -> None:
    assert url.startswith("https://")
    assert f'<link rel="canonical" href="{url}accounts/ada">' in ada.page("accounts/ada")


def test_static_files_come_from_nginx_under_a_name_for_each_version_and_are_kept_for_30_days(
    site: Example, url: str, ada: Member
) -> None:
    link = re.search(r'href="/(static/microblog\.css\?v=[0-9a-f]{12})"', ada.page())
    assert link
    answer = ada.browser.get(link[1])
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, f"public, max-age={30 * 24 * 3600}")
    assert {each["upstream"] for each in site.asked("/static/microblog.css")} == {""}


def test_the_worker_writes_the_file_that_was_ordered_also_when_it_was_killed_before(site: Example, ada: Member) -> None:
    assert file(ada)[0]["body"].startswith("Hello from Ada")
    assert site.container("worker").attrs["Config"]["Cmd"] == ["flask", "--app", "microblog", "work"]
    assert site.psql("SELECT count(*) FROM export WHERE content IS NULL", "worker") == "0"
    site.kill_main_process("worker")
    before = len(file(ada))
    assert site.container("worker").attrs["RestartCount"] == 1
    assert ada.post("One more") == ""
    assert len(file(ada)) == before + 1


def file(member: Member) -> list[dict[str, str]]:
    """Orders a file of all posts and waits until the worker has written it."""
    page = member.submit("exports", "exports").text
    assert "is being written" in page or "download" in page

    def written() -> str | None:
        items = re.findall(r"<li>(.*?)</li>", member.page("exports"), re.DOTALL)
        link = re.search(r'href="/(exports/\d+\.json)"', items[0])
        return link and link[1]

    where = wait_until("the worker has written the file", written, WRITTEN_SECONDS)
    found: list[dict[str, str]] = member.browser.get(str(where)).json()
    return found


def test_a_gunicorn_worker_that_dies_is_started_again_by_gunicorn_and_gunicorn_by_the_engine(
    site: Example, ada: Member
) -> None:
    before = site.inside("web", *WORKERS).split()
    assert len(before) == 2
    site.inside("web", "sh", "-c", f"kill -9 {' '.join(before)}")
    now = wait_until("there are two others", lambda: others(site, before), BACK_SECONDS)
    assert ada.page()
    assert site.container("web").attrs["RestartCount"] == 0, now
    site.kill_main_process("web")
    wait_until("it was started again", lambda: site.container("web").attrs["RestartCount"] == 1, BACK_SECONDS)
    wait_until("it answers", lambda: ada.browser.get("ready").status_code == 200, BACK_SECONDS)
    assert "One more" in ada.page()


def others(site: Example, before: list[str]) -> list[str] | None:
    found = site.inside("web", *WORKERS).split()
    return found if len(found) == 2 and not set(found) & set(before) else None


def test_who_asked_for_what_and_what_went_wrong_is_in_the_logs(site: Example, ada: Member) -> None:
    postgres = site.container("postgres")
    postgres.stop(timeout=30)
    try:
        assert ada.browser.get("ready?told=nobody").status_code == 503
    finally:
        postgres.start()
    wait_until("the database is back", lambda: ada.browser.get("ready").status_code == 200, BACK_SECONDS)
    told = site.slipway("logs", "web", "--tail", "1000")
    assert '"path":"/ready","status":503' in told
    assert "OperationalError" in told
    assert "told=nobody" not in told
    assert file(ada), "the worker goes on as well"


def test_the_secret_key_was_made_with_the_stack_and_only_the_site_has_it(site: Example) -> None:
    made = "import os; print(len(os.environ.get('FLASK_SECRET_KEY', '')))"
    assert int(site.slipway("exec", "web", "--", "python", "-c", made)) >= 32
    assert site.slipway("exec", "worker", "--", "python", "-c", made).strip() == "0"
    assert "FLASK_SECRET_KEY" not in json.dumps(site.container("web").attrs)


def test_a_second_up_changes_nothing(site: Example) -> None:
    site.assert_settled()


def test_an_update_with_a_new_revision_is_one_command_and_loses_no_post(
    site: Example, ada: Member, trust: ssl.SSLContext
) -> None:
    assert site.psql("SELECT version_num FROM alembic_version") == "0006"
    site.write("services/microblog/migrations/versions/0007_edited.py", REVISION)
    column = "    written_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)\n"
    new = "    edited_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))\n"
    site.edit("services/microblog/microblog/models.py", column, column + new)
    site.edit("services/microblog/microblog/templates/explore.html", "Everybody's posts", "All posts")
    acknowledged: list[str] = []

    def post() -> str:
        body = f"Post {uuid.uuid4()}"
        if problem := ada.post(body):
            return problem
        acknowledged.append(body)
        return ""

    with site.under_load("explore", "health", "static/microblog.css", also=post, verify=trust):
        site.slipway("up", "--yes")
    assert site.psql("SELECT version_num FROM alembic_version") == "0007"
    assert "All posts" in ada.page("explore")
    kept = site.psql("SELECT body FROM post WHERE body LIKE 'Post %'").splitlines()
    assert sorted(kept) == sorted(acknowledged)
    assert len(acknowledged) > 10
    assert len(file(ada)) > len(acknowledged)


def test_whoever_tries_passwords_is_stopped(url: str, trust: ssl.SSLContext) -> None:
    with httpx.Client(base_url=url, verify=trust) as client:
        wait_until("a login is refused", lambda: client.get("login").status_code == 429, BACK_SECONDS, pause=0)
        assert client.get("explore").status_code == 200


def test_nothing_is_left_of_it(site: Example) -> None:
    site.assert_destroyed_whole()
