"""Reading and writing: the home page, everybody's posts, an account and who follows it."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, url_for
from flask_login import current_user, login_required
from flask_sqlalchemy.pagination import Pagination
from sqlalchemy import Executable, Select, or_, select
from sqlalchemy.dialects.postgresql import insert
from werkzeug.wrappers import Response

from .accounts import Page
from .forms import AboutForm, ButtonForm, PostForm
from .models import Account, Post, db, follow, now

PER_PAGE = 25

blueprint = Blueprint("pages", __name__)


@blueprint.route("/", methods=["GET", "POST"])
@login_required
def home() -> Page:
    """One's own posts and those of the accounts that one follows."""
    form = PostForm()
    if form.validate_on_submit():
        values = {"key": form.key.data, "body": form.body.data, "written_at": now(), "account_id": current_user.id}
        db.session.execute(insert(Post).values(values).on_conflict_do_nothing(index_elements=["key"]))
        db.session.commit()
        return redirect(url_for(".home"), HTTPStatus.SEE_OTHER)
    followed = select(follow.c.followed_id).filter_by(follower_id=current_user.id)
    posts = newest(select(Post).where(or_(Post.account_id == current_user.id, Post.account_id.in_(followed))))
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render_template("home.html", form=form, posts=posts), status


@blueprint.get("/explore")
def explore() -> str:
    return render_template("explore.html", posts=newest(select(Post)))


@blueprint.get("/accounts/<name>")
def account(name: str) -> str:
    shown = named(name)
    followed = current_user.is_authenticated and follows(current_user, shown)
    posts = newest(select(Post).filter_by(account_id=shown.id))
    return render_template("account.html", account=shown, followed=followed, posts=posts)


@blueprint.post("/accounts/<name>/followers")
@login_required
def start_following(name: str) -> Response:
    pair = {"follower_id": current_user.id, "followed_id": named(name).id}
    return changed(name, insert(follow).values(pair).on_conflict_do_nothing())


@blueprint.post("/accounts/<name>/followers/delete")
@login_required
def stop_following(name: str) -> Response:
    mine = follow.c.follower_id == current_user.id
    return changed(name, follow.delete().where(mine, follow.c.followed_id == named(name).id))


@blueprint.route("/about", methods=["GET", "POST"])
@login_required
def about() -> Page:
    form = AboutForm(obj=current_user)
    if form.validate_on_submit():
        current_user.about = form.about.data
        db.session.commit()
        return redirect(url_for(".account", name=current_user.name), HTTPStatus.SEE_OTHER)
    return render_template("form.html", form=form, title="About you")


def follows(one: Account, other: Account) -> bool:
    pair = select(follow).filter_by(follower_id=one.id, followed_id=other.id)
    return db.session.execute(pair).first() is not None


def newest(posts: Select[Post]) -> Pagination:
    """The page of them that the address asks for, the newest first. They are not counted, so the page behind the last
    one may be empty."""
    found = posts.order_by(Post.id.desc())
    return db.paginate(found, per_page=PER_PAGE, max_per_page=PER_PAGE, count=False, error_out=False)


def named(name: str) -> Account:
    found: Account = db.first_or_404(select(Account).filter_by(name=name))
    return found


def changed(name: str, statement: Executable) -> Response:
    """Does it, if the button was on a page of this site."""
    if not ButtonForm().validate_on_submit():
        abort(HTTPStatus.BAD_REQUEST)
    db.session.execute(statement)
    db.session.commit()
    return redirect(url_for(".account", name=name), HTTPStatus.SEE_OTHER)
