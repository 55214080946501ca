"""Taking one's posts along: the site takes the order, the worker writes the file.

The table `export` is the queue. A worker locks the order that it works on, so several can work side by side; if one
dies, its transaction ends and the next one finds the order as it was.
"""

from __future__ import annotations

import json
import signal
import threading
from http import HTTPStatus

import click
from flask import Blueprint, Response, abort, current_app, redirect, render_template, url_for
from flask.cli import with_appcontext
from flask_login import current_user, login_required
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from .forms import ButtonForm
from .models import Export, Post, db, now

PAUSE = 1.0
"""Seconds until a worker that found nothing to do looks again."""

blueprint = Blueprint("exports", __name__)


@blueprint.get("/exports")
@login_required
def index() -> str:
    mine = select(Export).filter_by(account_id=current_user.id).order_by(Export.id.desc())
    return render_template("exports.html", exports=db.session.scalars(mine).all())


@blueprint.post("/exports")
@login_required
def order() -> AnyResponse:
    if not ButtonForm().validate_on_submit():
        abort(HTTPStatus.BAD_REQUEST)
    db.session.add(Export(account_id=current_user.id))
    db.session.commit()
    return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)


@blueprint.get("/exports/<int:identity>.json")
@login_required
def download(identity: int) -> Response:
    found = db.first_or_404(select(Export).filter_by(id=identity, account_id=current_user.id))
    if found.content is None:
        abort(HTTPStatus.NOT_FOUND)
    headers = {"Content-Disposition": "attachment; filename=posts.json"}
    return Response(found.content, mimetype="application/json", headers=headers)


@click.command()
@with_appcontext
def work() -> None:
    """Write the files that were ordered, until it is told to end (SIGTERM)."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    current_app.logger.info("at work")
    while not ended.is_set():
        try:
            done = write_next()
        except SQLAlchemyError:
            current_app.logger.exception("the database does not answer as it should")
            db.session.rollback()
            done = False
        if not done:
            ended.wait(PAUSE)


def write_next() -> bool:
    """Writes the file of the oldest order that no other worker is at; False where there is none."""
    waiting = select(Export).filter_by(done_at=None).order_by(Export.id).limit(1).with_for_update(skip_locked=True)
    export = db.session.scalar(waiting)
    if export is None:
        db.session.rollback()  # not even an idle transaction may stand in a migration's way
        return False
    posts = db.session.scalars(select(Post).filter_by(account_id=export.account_id).order_by(Post.id))
    found = [{"written_at": post.written_at.isoformat(), "body": post.body} for post in posts]
    export.content, export.done_at = json.dumps(found, indent=1), now()
    db.session.commit()
    current_app.logger.info("export %s: %s posts", export.id, len(found))
    return True
