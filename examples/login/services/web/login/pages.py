"""The pages: register, log in, one's own page, log out."""

from __future__ import annotations

from http import HTTPStatus

import psycopg
from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from .accounts import Account, Accounts, NameTakenError

SHORTEST_PASSWORD, LONGEST_PASSWORD, LONGEST_NAME = 12, 128, 40
Page = str | Response | tuple[str, int]

blueprint = Blueprint("pages", __name__)


def accounts() -> Accounts:
    found: Accounts = current_app.extensions["accounts"]
    return found


@blueprint.get("/health")
def health() -> dict[str, str]:
    """Asks nothing but this process: a database that is down is no reason to restart it."""
    return {"status": "ok"}


@blueprint.get("/ready")
def ready() -> dict[str, str]:
    try:
        accounts().ready()
    except psycopg.Error:
        current_app.logger.exception("not ready")
        abort(HTTPStatus.SERVICE_UNAVAILABLE)
    return {"status": "ready"}


@blueprint.get("/")
def home() -> Page:
    account = accounts().find(session["account"]) if "account" in session else None
    return render_template("home.html", account=account) if account else redirect(url_for(".login"))


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> Page:
    """May be sent twice with the same result: it only reads."""
    if request.method == "GET":
        return render_template("form.html", title="Log in", name="")
    name = request.form.get("name", "")
    # No account has such a name, and Postgres refuses to look for one with a null character in it.
    account = accounts().verified(name, request.form.get("password", "")) if name.isprintable() else None
    if account is None:
        flash("Name or password is wrong.")
        return render_template("form.html", title="Log in", name=name), HTTPStatus.UNAUTHORIZED
    return welcome(account)


@blueprint.route("/register", methods=["GET", "POST"])
def register() -> Page:
    if request.method == "GET":
        return render_template("form.html", title="Register", name="")
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    if problem := refused(name, password):
        flash(problem)
        return render_template("form.html", title="Register", name=name), HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        account = accounts().create(name, password)
    except NameTakenError:
        flash("This name is taken.")
        return render_template("form.html", title="Register", name=name), HTTPStatus.CONFLICT
    return welcome(account)


@blueprint.post("/logout")
def logout() -> Response:
    session.clear()
    return redirect(url_for(".login"), HTTPStatus.SEE_OTHER)


def refused(name: str, password: str) -> str:
    """Why there can be no such account; "" where there can."""
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        return f"A name has 1 to {LONGEST_NAME} characters."
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters."
    return ""


def welcome(account: Account) -> Response:
    session.clear()  # what was in the cookie of a visitor must not become part of an account's
    session["account"] = account.id
    return redirect(url_for(".home"), HTTPStatus.SEE_OTHER)
