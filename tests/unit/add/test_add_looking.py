"""What is read in a folder, what is told of it, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from slipway.add.look import NoFlaskAppError, Surroundings, look, valid_name
from slipway.setup import paths
from tests.unit.add.samples import APP, FACTORY, INDEX, flat, folder, seen

READING = """\
import os
from os import environ, getenv
from decouple import config
from environs import env

A_PLAIN = os.environ.get("A_PLAIN", "a")
B_NUMBER = int(getenv("B_NUMBER", "2"))
C_OR = environ.get("C_OR") or "c"
D_DECOUPLE = config("D_DECOUPLE", default=4, cast=int)
E_ENVIRONS = env.int("E_ENVIRONS", 5)
F_BRACES = getenv("F_BRACES", "{record.name} {json}")
NOT_TEXT = getenv("NOT_TEXT", 7)
SWITCH = getenv("SWITCH", False)
PRESENT = "PRESENT" in os.environ
if "ASKED_FIRST" in os.environ:
    X = os.environ["ASKED_FIRST"]


def number(name, default):
    return int(os.environ.get(name) or default)


G_HELPER = number("G_HELPER", "8")


def view(environ):
    return environ["PATH_INFO"], environ.get("HTTP_HOST")


if __name__ == "__main__":
    os.environ["ONLY_AS_A_SCRIPT"]
"""


def test_plain_variables_get_the_default_that_the_code_gives(tmp_path: Path) -> None:
    found = seen(tmp_path, {**flat(), "config.py": READING})
    assert found.block.declaration()["env"] == {
        "A_PLAIN": "a",
        "B_NUMBER": "2",
        "C_OR": "c",
        "D_DECOUPLE": "4",
        "E_ENVIRONS": "5",
        "F_BRACES": "{{record.name}} {json}",
        "G_HELPER": "8",
    }
    assert "Also read, and not needed: NOT_TEXT, SWITCH, PRESENT, ASKED_FIRST." in found.block.left
    assert found.missing == []


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        ("DATABASE_URL", ["url"]),
        ("SQLALCHEMY_DATABASE_URI", ["url"]),
        ("SHOP_DATABASE_URL", ["url"]),
        ("DB_HOST DB_PORT DB_NAME DB_USER DB_PASSWORD", ["host", "port", "name", "user", "password"]),
        (
            "POSTGRES_HOST POSTGRES_DB POSTGRES_USER POSTGRES_PASSWORD",
            ["host", "name", "user", "password"],
        ),
        ("PGHOST PGDATABASE PGUSER PGPASSWORD PGPORT", ["host", "name", "user", "password", "port"]),
        ("SQL_HOST DATABASE_USERNAME DB_PASS", ["host", "user", "password"]),
    ],
)
def test_variables_of_the_database_are_references_to_it(tmp_path: Path, names: str, parts: list[str]) -> None:
    code = "".join(f'os.environ["{name}"]\n' for name in names.split())
    found = seen(tmp_path, flat(app=code, requirements="psycopg2\n"))
    wanted = {name: f"{{database.{part}}}" for name, part in zip(names.split(), parts, strict=True)}
    assert found.block.declaration()["env"] == wanted
    assert found.missing == []


@pytest.mark.parametrize(
    ("requirements", "start"),
    [
        ("sqlalchemy<2.1\npsycopg2", "{database.url}"),
        ("sqlalchemy\npsycopg2-binary", "postgresql+psycopg2://"),
        ("sqlalchemy==2.0.1\npsycopg[binary]", "postgresql+psycopg://"),
        ("psycopg", "{database.url}"),
        ("flask-sqlalchemy\npg8000", "postgresql+pg8000://"),
        ("sqlalchemy==2.0.1\npsycopg2cffi", "postgresql+psycopg2cffi://"),
    ],
)
def test_the_url_names_the_driver_that_is_there(tmp_path: Path, requirements: str, start: str) -> None:
    found = seen(tmp_path, flat(app='os.environ["DATABASE_URL"]\n', requirements=requirements))
    assert found.block.declaration()["env"]["DATABASE_URL"].startswith(start)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ('os.environ["STOCK_URL"]', "{services.stock.url}"),
        ('os.environ.get("STOCK_API_URL", "http://localhost:5001/")', "{services.stock.url}"),
        ('os.getenv("REDIS_URL", "redis://localhost:6379/1")', "redis://{services.redis.host}:{services.redis.port}/1"),
        ('os.environ["REDIS_HOST"]', "{services.redis.host}"),
        ('os.getenv("REDIS_PORT", "6379")', "{services.redis.port}"),
        ('os.environ["REDIS_URL"]', None),
    ],
)
def test_addresses_of_the_sites_other_services_are_references_to_them(
    tmp_path: Path, code: str, value: str | None
) -> None:
    declared = seen(tmp_path, flat(app=f"{code}\n"), "stock", "redis").block.declaration()
    assert list(declared.get("env", {}).values()) == ([value] if value else [])
    assert declared.get("uses") == ([value.partition("services.")[2].partition(".")[0]] if value else None)


@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SECRET_KEY", "SECURITY_PASSWORD_SALT", "WTF_CSRF_SECRET_KEY"])
def test_secrets_that_anything_will_do_for_are_generated(tmp_path: Path, name: str) -> None:
    found = seen(tmp_path, flat(app=f'os.environ.get("{name}", "insecure-default")\n'))
    assert found.block.declaration()["secrets"] == [name]
    assert "insecure-default" not in found.block.text()


@pytest.mark.parametrize(
    "name", ["GITHUB_TOKEN", "MAIL_PASSWORD", "AWS_SECRET_ACCESS_KEY", "SENTRY_DSN", "OAUTH_SECRET"]
)
def test_secrets_of_others_are_never_generated_behind_the_users_back(tmp_path: Path, name: str) -> None:
    optional = seen(tmp_path, flat(app=f'os.environ.get("{name}")\n'))
    assert "secrets" not in optional.block.declaration()
    assert f"pulumi config set --secret --path secrets.shop.{name}" in " ".join(optional.block.left)
    needed = seen(tmp_path, flat(app=f'os.environ["{name}"]\n'))
    assert needed.block.declaration()["secrets"] == [name]
    assert [line for _, line in needed.missing] == [f"pulumi config set --secret --path secrets.shop.{name}"]


def test_example_files_say_what_the_code_does_not_and_a_real_env_file_is_never_opened(tmp_path: Path) -> None:
    files = flat(app='os.environ["TITLE"]\nos.environ["COLOUR"]\nos.environ["NOWHERE"]\n')
    files[".env.example"] = "TITLE=Photos # of the shop\nREGION='eu'\nAPI_TOKEN=change-me\n"
    files[".env"] = "NOWHERE=hunter2\n"
    files["docker-compose.yml"] = (
        "services:\n  web:\n    build: .\n    environment:\n      - COLOUR=blue\n      - X_URL=amqp://a:b@mq\n"
        "  other:\n    image: x\n    environment: {IGNORED: 1}\n"
    )
    found = seen(tmp_path, files)
    assert found.block.declaration()["env"] == {"TITLE": "Photos", "COLOUR": "blue", "REGION": "eu"}
    assert {line for _, line in found.missing} == {
        "in Pulumi.yaml, services.shop.env: X_URL: VALUE",
        "in Pulumi.yaml, services.shop.env: NOWHERE: VALUE",
    }
    assert "hunter2" not in found.block.text()
    assert "a:b@mq" not in found.block.text()


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"pyproject.toml": '[tool.poetry.dependencies]\nflask = "*"\n'}, "poetry export"),
        ({"pyproject.toml": '[project]\ndynamic = ["dependencies"]\n'}, "requirements.txt"),
        ({"Pipfile": '[packages]\nflask = "*"\n'}, "pipenv requirements"),
        ({"setup.py": 'setup(install_requires=["flask"])\n'}, "requirements.txt"),
        ({}, "requirements.txt"),
        ({"requirements.txt": "werkzeug\n"}, "add flask"),
        ({"requirements.txt": "flask", "Dockerfile": "FROM python:3.13\nEXPOSE 80\n"}, "gunicorn"),
        ({"requirements.txt": "flask", "app.py": f"{APP}app.run()\n"}, "__main__"),
        ({"requirements.txt": "flask\npsycopg2"}, "{database.url}"),
    ],
)
def test_what_cannot_work_is_told_with_what_to_do(tmp_path: Path, files: dict[str, str], what: str) -> None:
    found = seen(tmp_path, {"app.py": APP + INDEX, **files})
    assert any(what in line for _, line in found.missing), found.missing


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"app.py": "from django import app\n", "requirements.txt": "django"}, "nothing there names or imports Flask"),
        ({"requirements.txt": "flask"}, "no app that gunicorn could load"),
        ({"app.py": FACTORY.replace("config=None", "config"), "requirements.txt": "flask"}, "create_app(config)"),
        ({"app.py": "def broken(:\n", "requirements.txt": "flask"}, "no app that gunicorn could load"),
    ],
)
def test_a_folder_that_is_no_flask_app_is_refused(tmp_path: Path, files: dict[str, str], what: str) -> None:
    with pytest.raises(NoFlaskAppError, match=re.escape(what)):
        seen(tmp_path, files)


HINTS = {
    "celery": (flat(requirements="celery"), "a service of its own"),
    "an ENTRYPOINT that is a server": (
        {
            **flat(),
            "Dockerfile": 'FROM a\nRUN pip install gunicorn\nENTRYPOINT ["./boot.sh"]\n',
            "boot.sh": "exec gunicorn a:b",
        },
        "ENTRYPOINT ./boot.sh does not run",
    ),
    "a scheduler": (flat(app="from apscheduler import x\nx.BackgroundScheduler()\n"), "`schedule:`"),
    "calls": (flat(app="import requests\n"), "egress: true"),
    "a lock file": (
        {"app.py": APP, "pyproject.toml": '[project]\ndependencies = ["flask"]\n', "uv.lock": ""},
        "uv export",
    ),
    "MySQL": (flat(requirements="flask-sqlalchemy\npymysql"), "PostgreSQL"),
    "an extra": (
        {
            "app.py": APP,
            "pyproject.toml": '[project]\ndependencies = ["flask", "sqlalchemy"]\n'
            '[project.optional-dependencies]\ndb = ["psycopg2-binary"]\n',
        },
        "only in its extra db",
    ),
    "no route": ({"app.py": APP, "requirements.txt": "flask"}, "change `health:`"),
    "computed names": (flat(app="for n in x():\n    os.environ[n]\n"), "computed (app.py:"),
    "a file that is no Python": ({**flat(), "old.py": "print 1\n"}, "old.py"),
}


@pytest.mark.parametrize("about", HINTS)
def test_what_is_good_to_know_is_told(tmp_path: Path, about: str) -> None:
    files, hint = HINTS[about]
    assert any(hint in each for each in seen(tmp_path, files).hints)


def test_a_dockerfile_that_puts_the_source_elsewhere_leaves_static_files_to_flask(tmp_path: Path) -> None:
    files = {**flat(), "static/x.css": "", "Dockerfile": "FROM a AS dev\nFROM b AS prod\nRUN gunicorn\nWORKDIR {}\n"}
    for place, static in (("/home/app/web", {"/static/": "static"}), ("/srv", None)):
        there = {**files, "Dockerfile": files["Dockerfile"].format(place)}
        assert seen(tmp_path, there).block.declaration().get("static") == static


def test_names_of_files_cannot_break_out_of_a_comment(tmp_path: Path) -> None:
    code = "import os\nos.environ['TITLE']\nos.getenv('A', 'x\\ny: 1')\n"
    found = seen(tmp_path, {**flat(), "a\nroute: x\x1b.py": code})
    assert yaml.safe_load(found.block.text()) == {"shop": found.block.declaration()}


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("import os\nos.environ['OUTSIDE']\n")
    shop = folder(tmp_path, flat())
    (shop / "link.py").symlink_to(tmp_path / "outside.py")
    assert "OUTSIDE" not in look(shop, "shop", Surroundings("services/shop")).block.text()


@pytest.mark.parametrize(
    ("folder_name", "name"),
    [
        ("ihatemoney-7.2.1", "ihatemoney"),
        ("My_Shop", "my-shop"),
        ("shop2", "shop2"),
        ("2048", "app"),
        ("postgres", "postgres-app"),
        ("a-very-long-name-of-a-folder", "a-very-long-name-of"),
    ],
)
def test_a_valid_name_is_made_of_the_folders(folder_name: str, name: str) -> None:
    assert valid_name(folder_name) == name


@pytest.mark.parametrize("service", ["ui", "images"])
def test_the_sites_own_services_come_out_as_they_are_declared(service: str) -> None:
    declared = yaml.safe_load((paths.PROJECT / "Pulumi.yaml").read_text())["config"]["services"]["default"]
    others = [name for name in declared if name != service]
    around = Surroundings(f"services/{service}", others, root_taken=service == "images")
    found = look(paths.PROJECT / "services" / service, service, around).block.declaration()
    own = declared[service]
    for key in ("route", "uses", "secrets"):
        assert found.get(key) == own.get(key)
    assert ("database" in found) == ("database" in own)
    for name, value in own["env"].items():
        if "{" in value:
            assert found["env"][name] == value
