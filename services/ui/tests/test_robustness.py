"""Behind a proxy, while the picture store restarts, and against others' forms."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from flask import Flask, request, url_for
from flask.testing import FlaskClient

from services.ui.app import assets, create_app
from services.ui.app.config import from_environment, settings

from .conftest import SECRET, Wire, fields, picture

Stored = Callable[..., str]


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def restarting(_: httpx.Request) -> httpx.Response:
    return httpx.Response(502, html="<h1>Bad gateway</h1>")


def test_a_store_that_comes_back_at_once_is_not_noticed(client: FlaskClient, wire: Wire) -> None:
    wire.broken = [refuse, restarting, refuse]
    assert client.get("/").status_code == 200


def test_an_answer_that_got_lost_makes_no_second_picture(client: FlaskClient, wire: Wire, images: Flask) -> None:
    form = fields(client.get("/upload"))

    def lose(request: httpx.Request) -> httpx.Response:
        wire.inner.handle_request(request)
        raise httpx.ReadError("reset", request=request)

    wire.broken = [lose]
    data = {**form, "file": (io.BytesIO(picture()), "sea.png")}
    assert client.post("/upload", data=data).status_code == 303
    assert wire.calls[-2:] == ["POST /pictures", "POST /pictures"]
    assert images.test_client().get("/pictures").get_json()["total"] == 1


def test_a_delete_whose_answer_got_lost_is_still_a_success(client: FlaskClient, wire: Wire, stored: Stored) -> None:
    path = f"/pictures/{stored()}/delete"
    form = fields(client.get(path))

    def lose(request: httpx.Request) -> httpx.Response:
        wire.inner.handle_request(request)
        raise httpx.ReadError("reset", request=request)

    wire.broken = [wire.inner.handle_request, lose]
    assert client.post(path, data=form).status_code == 303


@pytest.mark.parametrize(
    "broken",
    [
        refuse,
        restarting,
        lambda _: httpx.Response(200, text="no JSON"),
        lambda _: httpx.Response(500, text="boom"),
    ],
    ids=["refused", "restarting", "no JSON", "error"],
)
def test_a_store_that_stays_away_is_told_to_the_visitor(
    client: FlaskClient,
    wire: Wire,
    broken: Callable[[httpx.Request], httpx.Response],
) -> None:
    for path in ("/", "/upload"):
        wire.broken = [broken] * 4
        page = client.get(path)
        assert page.status_code == 503
        assert page.headers["Retry-After"] == "5"
        assert "try again" in page.text
        assert "boom" not in page.text
    wire.broken = [refuse] * 4
    assert client.get("/health").get_json() == {"status": "ok"}


def test_a_form_without_its_token_is_refused(client: FlaskClient, images: Flask, stored: Stored) -> None:
    one = stored()
    for path, data in ((f"/pictures/{one}/delete", {}), ("/upload", {"file": (io.BytesIO(picture()), "a.png")})):
        client.get(path)
        answer = client.post(path, data=data)
        assert answer.status_code == 400
        assert "no longer valid" in answer.text
    assert images.test_client().get("/pictures").get_json()["total"] == 1


def test_addresses_are_right_behind_one_proxy_and_a_second_hop_is_not_believed(app: Flask) -> None:
    @app.get("/where")
    def where() -> dict[str, str]:
        return {"url": url_for("pages.index", _external=True), "client": str(request.remote_addr)}

    seen = (
        app.test_client()
        .get(
            "/where",
            headers={
                "X-Forwarded-For": "6.6.6.6, 203.0.113.7",
                "X-Forwarded-Proto": "http, https",
                "X-Forwarded-Host": "evil.example, photos.example.org:8100",
            },
        )
        .get_json()
    )
    assert seen == {"url": "https://photos.example.org:8100/", "client": "203.0.113.7"}


def test_below_a_prefix_every_link_carries_it(client: FlaskClient, stored: Stored) -> None:
    one = stored()
    page = client.get("/", environ_overrides={"SCRIPT_NAME": "/photos"})
    for link in (f'href="/photos/pictures/{one}"', f'src="/photos/pictures/{one}/thumb', 'href="/photos/static/app.'):
        assert link in page.text


def test_pictures_come_straight_from_a_public_address(wire: Wire, stored: Stored) -> None:
    one = stored()
    for public, source in (("/images", "'self'"), ("http://127.0.0.1:8007/", "'self' http://127.0.0.1:8007")):
        app = create_app(settings(secret=SECRET, images_url="http://images", images_public_url=public), transport=wire)
        page = app.test_client().get("/")
        assert f'src="{public.rstrip("/")}/pictures/{one}/thumbnail"' in page.text
        assert f"img-src {source};" in page.headers["Content-Security-Policy"]


def test_the_cookie_is_secure_where_the_site_is(app: Flask) -> None:
    plain = app.test_client().get("/upload").headers["Set-Cookie"]
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Secure" not in plain
    assert "Secure" in app.test_client().get("/upload", headers={"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]


def test_two_sites_on_one_host_name_keep_their_own_cookies(app: Flask) -> None:
    sites = ("http://localhost:8100", "http://localhost:8200", "http://localhost", "http://[::1]", "http://[::1]:8100")
    cookies = [app.test_client().get("/upload", base_url=site).headers["Set-Cookie"] for site in sites]
    names = [cookie.partition("=")[0] for cookie in cookies]
    assert names == ["session_8100", "session_8200", "session", "session", "session_8100"]


def test_a_form_opened_before_a_rotation_is_accepted_after_it_and_not_after_the_next(
    wire: Wire, stored: Stored
) -> None:
    def site(secret: str, *former: str) -> Flask:
        return create_app(settings(secret=secret, former_secrets=former, images_url="http://images"), transport=wire)

    def sent_to(app: Flask) -> int:
        opened = site("first").test_client()
        page = opened.get(f"/pictures/{stored()}/delete")
        cookie = opened.get_cookie("session")
        assert cookie
        later = app.test_client()
        later.set_cookie("session", cookie.value)
        return later.post(page.request.path, data=fields(page)).status_code

    assert sent_to(site("first")) == 303
    assert sent_to(site("second", "first")) == 303
    assert sent_to(site("third", "second")) == 400
    assert sent_to(site("second")) == 400


def test_every_answer_forbids_scripts_and_framing(client: FlaskClient) -> None:
    for path in ("/", "/upload", "/nowhere", "/health", "/static/app.css"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({}, "SECRET_KEY, IMAGES_URL"),
        ({"SECRET_KEY": "x"}, "IMAGES_URL"),
        ({"SECRET_KEY": "x", "IMAGES_URL": "http://images", "PROXY_HOPS": "all"}, "PROXY_HOPS"),
        *(
            ({"SECRET_KEY": "x", "IMAGES_URL": "http://images", "SECRET_KEY_FALLBACKS": wrong}, "SECRET_KEY_FALLBACKS")
            for wrong in ("former", '"former"', "[1]", '[""]')
        ),
    ],
)
def test_a_missing_or_wrong_setting_is_named(environment: dict[str, str], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        from_environment(environment)


def test_former_keys_come_as_a_list() -> None:
    read = from_environment({"SECRET_KEY": "b", "IMAGES_URL": "http://images", "SECRET_KEY_FALLBACKS": '["a"]'})
    assert (read["SECRET_KEY"], read["SECRET_KEY_FALLBACKS"]) == ("b", ["a"])


def test_static_files_have_names_that_change_with_them(
    client: FlaskClient,
    app: Flask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assets, "FOLDER", tmp_path)
    style = tmp_path / "app.css"
    names = []
    for content in ("a {}", "b {}"):
        style.write_text(content)
        with app.test_request_context():
            names.append(url_for("static", filename="app.css"))
        answer = client.get(names[-1])
        assert answer.text == content
        assert "immutable" in answer.headers["Cache-Control"]
        style.touch()
    assert names[0] != names[1]
    assert client.get(names[0]).status_code == 404, "old contents are not given out under a name that is kept for ever"
    assert "immutable" not in client.get("/static/app.css").headers["Cache-Control"]
    assert client.get("/static/../config.py").status_code == 404


def test_copies_for_a_web_server_have_the_names_that_pages_use(
    app: Flask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assets, "FOLDER", tmp_path)
    (tmp_path / "icons").mkdir()
    for name in ("app.css", "icons/home.svg"):
        (tmp_path / name).write_text(name)
    written = assets.write_hashed_copies()
    assert assets.write_hashed_copies() == written, "copies are not copied"
    with app.test_request_context():
        linked = [url_for("static", filename=name) for name in ("app.css", "icons/home.svg")]
    assert linked == [f"/static/{name}" for name in written]
    assert all((tmp_path / name).is_file() for name in written)
