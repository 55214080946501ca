"""Whole settings blocks, as they are written for folders of each shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.add.samples import APP, FACTORY, INDEX, flat, seen

LARGER = {
    "requirements.txt": "Flask\nFlask-SQLAlchemy==3.1.1\nFlask-Migrate\nSQLAlchemy==2.0.36\npsycopg2-binary\ncelery\n",
    "wsgi.py": "from shop import create_app\n\napp = create_app()\n",
    "shop/__init__.py": FACTORY,
    "shop/static/shop.css": "",
    "shop/config.py": """\
import os


class Config:
    SECRET_KEY = os.environ["SECRET_KEY"]
    SQLALCHEMY_DATABASE_URI = os.environ.get("DATABASE_URL") or "sqlite:///shop.db"
    PAGE_SIZE = int(os.getenv("PAGE_SIZE", 20))
    TITLE = os.getenv("TITLE", "Shop")
    CELERY_BROKER_URL = os.getenv("CELERY_BROKER_URL", "redis://localhost:6379/0")
    STRIPE_API_KEY = os.environ["STRIPE_API_KEY"]
    MAIL_PASSWORD = os.environ.get("MAIL_PASSWORD")
    MAIL_SERVER = os.environ.get("MAIL_SERVER")
    STOCK_URL = os.environ["STOCK_URL"]
    UPLOAD_FOLDER = "uploads"
    DEBUG = os.getenv("FLASK_DEBUG", "0")
""",
    "shop/health.py": """\
from flask import Blueprint

blueprint = Blueprint("health", __name__, url_prefix="/internal")


@blueprint.get("/healthz")
def healthz():
    return "ok"


@blueprint.get("/ready")
def ready():
    return "ok"
""",
    "migrations/env.py": "from alembic import context\n",
    "tests/test_shop.py": "import os\n\nos.environ['ONLY_FOR_TESTS']\n",
}


def test_one_module_needs_three_lines(tmp_path: Path) -> None:
    assert (
        seen(tmp_path, flat()).block.text()
        == """\
shop:
  app: app:app  # app.py:4: app = Flask(__name__)
  route: /  # no other service has it
  health: /  # app.py:7; there is no route made for it
"""
    )


def test_everything_that_a_larger_app_shows(tmp_path: Path) -> None:
    found = seen(tmp_path, LARGER, "stock", root_taken=True)
    assert (
        found.block.text(4)
        == """\
    shop:
      app: wsgi:app  # wsgi.py:3: app = create_app()
      route: /shop/  # another service has /
      uses:  # it reads their addresses
        - stock
      database: true  # psycopg2-binary is in requirements.txt
      migrate: flask db upgrade  # flask-migrate is in requirements.txt; migrations/ is there
      static: {/static/: shop/static}  # static files of the app that shop/__init__.py:5 makes
      env:
        DATABASE_URL: "{database.url}"  # shop/config.py:6 reads it
        PAGE_SIZE: "20"  # shop/config.py:7: its default
        TITLE: Shop  # shop/config.py:8: its default
        STOCK_URL: "{services.stock.url}"  # shop/config.py:13: the service stock
      secrets:
        - SECRET_KEY  # shop/config.py:5 reads it; generated, unless you set it
        - STRIPE_API_KEY  # shop/config.py:10 needs it; a generated one is not right: set it
      health: /internal/healthz  # shop/health.py:6
      ready: /internal/ready  # shop/health.py:11
      # Optional secrets: MAIL_PASSWORD (shop/config.py:11). To set one: add it to secrets:, and type pulumi config
      #   set --secret --path secrets.shop.MAIL_PASSWORD
      # Address of another server; of a service of the site: {services.NAME.host} and {services.NAME.port}:
      #   CELERY_BROKER_URL (shop/config.py:9).
      # Also read, and not needed: MAIL_SERVER.
      # UPLOAD_FOLDER (shop/config.py:14): if it writes there, take over: volumes: {uploads: /home/app/web/uploads}
"""
    )
    assert found.block.settings == 14
    assert [line for _, line in found.missing] == [
        "in Pulumi.yaml, services.shop.env: CELERY_BROKER_URL: VALUE",
        "pulumi config set --secret --path secrets.shop.STRIPE_API_KEY",
    ]
    assert any("celery" in hint and "a service of its own" in hint for hint in found.hints)


ASSETS = 'from flask import Flask\napp = Flask(__name__, static_folder="web/assets", static_url_path="/a")\n'
PING = """\
from flask import Blueprint

bp = Blueprint("api", __name__)


@bp.route("/ping")
def ping():
    return ""
"""
MAKES_TABLES = """\
import os
from flask import Flask


def setup(app):
    db.create_all()


def create_app():
    app = Flask(__name__)
    app.config["X"] = os.environ["DATABASE_URL"]
    setup(app)
    return app
"""
BY_HAND = f"""\
import os
{APP}
X = os.environ["DATABASE_URL"]


@app.cli.command("create_db")
def create_db():
    db.create_all()
"""
SHAPES: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "factory below src/, uv": (
        {
            "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["flask>=3"]\n',
            "uv.lock": "",
            "src/shop/__init__.py": FACTORY,
            "src/shop/static/shop.css": "",
        },
        {"app": "shop:create_app()", "static": {"/static/": "src/shop/static"}},
    ),
    "PDM, application in a package": (
        {
            "pyproject.toml": '[project]\ndependencies = ["flask"]\n',
            "pdm.lock": "",
            "shop/wsgi.py": f"{APP}application = app",
        },
        {"app": "shop.wsgi:app"},
    ),
    "Procfile": (
        {**flat(), "Procfile": "web: gunicorn -b :8000 server:web\n", "server.py": "from app import app as web\n"},
        {"app": "server:web", "port": 8000},
    ),
    "FLASK_APP names a factory": (
        {
            "requirements.txt": "flask",
            ".flaskenv": "FLASK_APP=shop:build\n",
            "shop.py": FACTORY.replace("create_app", "build"),
        },
        {"app": "shop:build()"},
    ),
    "star import": (
        {"requirements.txt": "flask", "shop/__init__.py": "from .core import *\n", "shop/core.py": APP + INDEX},
        {"app": "shop:app"},
    ),
    "modules that import each other": (
        {
            "requirements.txt": "flask",
            "shop/__init__.py": f"{APP}from shop import views\n",
            "shop/views.py": "from shop import app\n",
        },
        {"app": "shop:app"},
    ),
    "application under a condition": (
        {"requirements.txt": "flask", "main.py": f"try:\n    import x\nexcept ImportError:\n    pass\n{APP}"},
        {"app": "main:app"},
    ),
    "static folder with names of its own": (
        {
            "requirements.txt": "flask",
            "app.py": ASSETS,
            "web/assets/x.css": "",
        },
        {"static": {"/a/": "web/assets"}},
    ),
    "port of app.run and a blueprint registered elsewhere": (
        {
            "requirements.txt": "flask",
            "api.py": PING,
            "app.py": f"{APP}from api import bp as api\napp.register_blueprint(api, url_prefix='/v1')\n"
            "if __name__ == '__main__':\n    app.run(port=8080)\n",
        },
        {"health": "/v1/ping", "port": 8080},
    ),
    "an ENTRYPOINT that is a server": (
        {
            **flat(),
            "Dockerfile": "FROM a\nRUN pip install gunicorn\nWORKDIR /home/app/web\nENTRYPOINT exec gunicorn app:app\n",
        },
        {"entrypoint": False},
    ),
    "an ENTRYPOINT that passes on its command": (
        {
            **flat(),
            "Dockerfile": 'FROM a\nRUN pip install gunicorn\nWORKDIR /home/app/web\nENTRYPOINT ["tini", "--"]\n',
        },
        {"entrypoint": None},
    ),
    "gunicorn's own settings": ({**flat(), "gunicorn.conf.py": 'bind = "0.0.0.0:9000"\n'}, {"port": 9000}),
    "plain alembic": (
        {
            **flat(app='DB = os.environ["DATABASE_URL"]\n', requirements="sqlalchemy==2.0.1\nalembic\npsycopg2\n"),
            "alembic.ini": "",
            "alembic/env.py": "from alembic import context",
        },
        {"migrate": "alembic upgrade head", "database": True},
    ),
    "migrations elsewhere": (
        {
            **flat(app='DB = os.environ["DATABASE_URL"]\n', requirements="flask-migrate\npsycopg2\n"),
            "shop/migrations/env.py": "from alembic import context",
        },
        {"migrate": "flask db upgrade --directory shop/migrations"},
    ),
    "tables made when the app is loaded": (
        {
            **flat(requirements="flask-sqlalchemy\npsycopg2-binary\n"),
            "app.py": MAKES_TABLES,
        },
        {"app": "app:create_app()", "migrate": 'python -c "from app import create_app; create_app()"'},
    ),
    "tables made by hand": (
        {
            **flat(requirements="flask-sqlalchemy\npsycopg2-binary\n"),
            "app.py": BY_HAND,
        },
        {"migrate": None},
    ),
    "SQLite": (
        flat(app='app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:////tmp/shop.db"\n', requirements="flask-sqlalchemy"),
        {"cpus": 0.5, "database": None},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_recognised(tmp_path: Path, shape: str) -> None:
    files, wanted = SHAPES[shape]
    declared = seen(tmp_path, files).block.declaration()
    for key, value in wanted.items():
        assert declared.get(key) == value, (key, declared)
