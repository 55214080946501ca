"""The pages: all pictures, one picture, upload, delete with a question before it."""

from __future__ import annotations

import hashlib
import uuid
from http import HTTPStatus

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from .forms import DeleteForm, UploadForm
from .images_api import ImagesApi, NotFoundError, RejectedError

HIGHEST_PAGE = 1_000_000
# What a form needs besides the file: its other fields and the lines between the parts.
FORM_OVERHEAD = 64 * 1024

blueprint = Blueprint("pages", __name__)


def images() -> ImagesApi:
    """The application's access to the images API."""
    api: ImagesApi = current_app.extensions["images"]
    return api


def limit_upload() -> None:
    """Stops reading a body that the images API would refuse anyway."""
    if request.method == "POST":
        upload = request.endpoint == "pages.upload"
        request.max_content_length = FORM_OVERHEAD + (images().limits().bytes if upload else 0)


@blueprint.get("/health")
def health() -> dict[str, str]:
    """Asks nothing but this process: a picture store that is down is no reason to restart the site."""
    return {"status": "ok"}


@blueprint.get("/")
def index() -> str | Response:
    number = request.args.get("page", 1, type=int)
    if not 1 <= number <= HIGHEST_PAGE:
        raise NotFoundError
    page = images().page(number)
    if number > max(page.pages, 1):  # the last picture of the last page was deleted
        return redirect(url_for(".index", page=max(page.pages, 1)))
    return render_template("index.html", page=page)


@blueprint.get("/pictures/<uuid:identity>")
def picture(identity: uuid.UUID) -> str:
    return render_template("picture.html", picture=images().picture(identity))


@blueprint.route("/upload", methods=["GET", "POST"])
def upload() -> str | Response | tuple[str, int]:
    limits = images().limits()
    form = UploadForm.limited(limits)
    if form.validate_on_submit():
        file = form.file.data
        # The form's key and the file together: somebody who goes back and chooses another file means another picture.
        sha256 = hashlib.file_digest(file.stream, "sha256").hexdigest()
        key = uuid.uuid5(uuid.UUID(form.upload_key.data), sha256)
        try:
            kept = images().upload(
                file.stream, file.filename, title=form.title.data, description=form.description.data, key=key
            )
        except RejectedError as no:
            form.file.errors = [str(no)]
        else:
            flash(f"“{kept.title}” is uploaded.")
            return redirect(url_for(".picture", identity=kept.id), HTTPStatus.SEE_OTHER)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors or form.file.errors else HTTPStatus.OK
    return render_template("upload.html", form=form, limits=limits), status


@blueprint.route("/pictures/<uuid:identity>/delete", methods=["GET", "POST"])
def delete(identity: uuid.UUID) -> str | Response:
    found = images().picture(identity)
    form = DeleteForm()
    if form.validate_on_submit():
        images().remove(identity)
        flash(f"“{found.title}” is deleted.")
        return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)
    return render_template("delete.html", form=form, picture=found)


@blueprint.app_template_filter("megabytes")
def megabytes(size: int) -> str:
    """10 MB, 0.4 MB, 12 kB."""
    if size < 100 * 1024:
        return f"{max(1, round(size / 1024))} kB"
    return f"{size / 1024 / 1024:.1f}".removesuffix(".0") + " MB"


@blueprint.app_template_filter("kind")
def kind(content_type: str) -> str:
    """JPEG of image/jpeg."""
    name = content_type.removeprefix("image/")
    return "WebP" if name == "webp" else name.upper()
