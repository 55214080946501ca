"""Listing, fetching and removing, also below a prefix."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Client

from .conftest import Upload, files, picture


def test_pages_show_the_newest_first_and_each_picture_once(client: FlaskClient, upload: Upload) -> None:
    sent = [upload(title=f"number {number}").get_json()["id"] for number in range(5)]
    pages = [client.get(f"/pictures?page={page}&per_page=2").get_json() for page in (1, 2, 3)]
    assert [item["id"] for page in pages for item in page["items"]] == sent[::-1]
    assert {(page["pages"], page["total"], page["per_page"]) for page in pages} == {(3, 5, 2)}
    assert client.get("/pictures?page=4&per_page=2").get_json()["items"] == []


def test_an_empty_store_has_an_empty_page(client: FlaskClient) -> None:
    assert client.get("/pictures").get_json() == {"items": [], "page": 1, "pages": 0, "per_page": 24, "total": 0}


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=x",
        "page=99999999999999999999",
        "per_page=0",
        "per_page=101",
        "page=²",
        f"page={'9' * 5000}",
    ],
)
def test_a_page_that_cannot_be_is_refused(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/pictures?{query}")
    assert answer.status_code == 400
    assert "must be a number" in answer.get_json()["error"]["message"]


def test_files_may_be_cached_for_ever_and_run_nowhere(client: FlaskClient, upload: Upload) -> None:
    links = upload().get_json()["links"]
    for link in (links["file"], links["thumbnail"]):
        answer = client.get(link)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert {"public", "immutable", "max-age=31536000"} <= set(answer.headers["Cache-Control"].split(", "))
        again = client.get(link, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    assert client.get(links["self"]).headers["Cache-Control"] == "no-store"


def test_a_part_of_a_file_can_be_asked_for(client: FlaskClient, upload: Upload) -> None:
    content = picture()
    answer = client.get(upload(content).get_json()["links"]["file"], headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.data) == (206, content[:10])


def test_a_picture_is_saved_under_its_title(client: FlaskClient, upload: Upload) -> None:
    link = upload(title="Über den Wolken").get_json()["links"]["file"]
    saved = client.get(f"{link}?download=1").headers["Content-Disposition"]
    assert saved.startswith("attachment")
    assert "%C3%9Cber%20den%20Wolken.png" in saved
    assert client.get(link).headers["Content-Disposition"].startswith("inline")


def test_a_removed_picture_is_gone_with_its_files(client: FlaskClient, upload: Upload, media: Path) -> None:
    links = upload().get_json()["links"]
    assert client.delete(links["self"]).status_code == 204
    assert files(media) == []
    for link in links.values():
        assert client.get(link).status_code == 404
    assert client.delete(links["self"]).status_code == 404


@pytest.mark.parametrize("path", ["/pictures/42", f"/pictures/{uuid.UUID(int=1)}", "/pictures/../../etc/passwd", "/no"])
def test_what_is_not_there_is_a_404_in_json(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.get_json()["error"]["status"] == 404


def test_a_file_that_was_lost_is_a_404_not_an_error(client: FlaskClient, upload: Upload, media: Path) -> None:
    links = upload().get_json()["links"]
    for path in media.rglob("*.*"):
        path.unlink()
    assert client.get(links["file"]).status_code == 404
    assert client.get(links["self"]).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_browser_on_another_sites_page_may_look_but_not_touch(client: FlaskClient, upload: Upload, site: str) -> None:
    link = upload().get_json()["links"]["self"]
    headers = {"Sec-Fetch-Site": site}
    assert client.delete(link, headers=headers).status_code == 403
    assert client.post("/pictures", headers=headers).status_code == 403
    assert client.get(link, headers=headers).status_code == 200
    assert client.delete(link, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 204


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.put("/pictures")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_below_a_prefix_every_address_carries_it(app: Flask, upload: Upload) -> None:
    upload()
    prefixed = Client(app)  # what gunicorn does with SCRIPT_NAME=/images
    page = prefixed.get("/pictures", environ_overrides={"SCRIPT_NAME": "/images"}).get_json()
    assert all(link.startswith("/images/pictures/") for link in page["items"][0]["links"].values())
    root = prefixed.get("/", environ_overrides={"SCRIPT_NAME": "/images"}).get_json()
    assert root["links"]["pictures"] == "/images/pictures"
    assert set(root["limits"]["pixels"]) == {"image/jpeg", "image/png", "image/webp", "image/gif"}
