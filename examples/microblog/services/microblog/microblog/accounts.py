"""Registering, logging in and out."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, url_for
from flask_login import LoginManager, login_required, login_user, logout_user
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response

from .forms import ButtonForm, LoginForm, RegisterForm
from .models import Account, db

NOBODY = generate_password_hash("nobody's password")
"""Checked where there is no such account: an answer must not tell by its time which names exist."""
Page = str | Response | tuple[str, int]

blueprint = Blueprint("accounts", __name__)
manager = LoginManager()
manager.login_view = "accounts.login"


def register(app: Flask) -> None:
    manager.init_app(app)
    app.context_processor(lambda: {"button": ButtonForm()})


@manager.user_loader
def load(identity: str) -> Account | None:
    return db.session.get(Account, int(identity))


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> Page:
    form = LoginForm()
    if form.validate_on_submit():
        account = db.session.scalar(select(Account).filter_by(name=form.name.data))
        right = check_password_hash(account.password_hash if account else NOBODY, form.password.data)
        if account and right:
            login_user(account)
            return redirect(local(request.args.get("next")), HTTPStatus.SEE_OTHER)
        current_app.logger.warning("a login was refused")
        flash("Name or password is wrong.")
        return render_template("form.html", form=form, title="Log in"), HTTPStatus.UNAUTHORIZED
    return render_template("form.html", form=form, title="Log in")


@blueprint.route("/register", methods=["GET", "POST"])
def sign_up() -> Page:
    form = RegisterForm()
    if form.validate_on_submit():
        account = Account(name=form.name.data, password_hash=generate_password_hash(form.password.data))
        db.session.add(account)
        try:
            db.session.commit()
        except IntegrityError:
            db.session.rollback()
            form.name.errors = ["This name is taken."]
        else:
            login_user(account)
            return redirect(url_for("pages.home"), HTTPStatus.SEE_OTHER)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors or form.name.errors else HTTPStatus.OK
    return render_template("form.html", form=form, title="Register"), status


@blueprint.post("/logout")
@login_required
def logout() -> Response:
    if ButtonForm().validate_on_submit():
        logout_user()
    return redirect(url_for(".login"), HTTPStatus.SEE_OTHER)


def local(path: str | None) -> str:
    """A page of this site, or the home page: what stands in an address may be anybody's. Browsers leave out tabs and
    line ends, and take a backslash for a slash."""
    inside = path and path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if path and inside else url_for("pages.home")
