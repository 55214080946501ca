"""The two forms. Flask-WTF gives both a token, so that no other site can send them."""

from __future__ import annotations

import uuid

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import UUID, Length

from .images_api import Limits


class UploadForm(FlaskForm):  # type: ignore[misc]
    """A picture and what is said about it."""

    file = FileField("Picture file", validators=[FileRequired("Choose a picture file.")])
    title = StringField("Title")
    description = TextAreaField("Description")
    # Made when the form is shown: sent twice (a second click, a repeated request) it stays one upload.
    upload_key = HiddenField(validators=[UUID("This form is broken: load the page again.")])

    @classmethod
    def limited(cls, limits: Limits) -> UploadForm:
        form = cls()
        for field, longest in ((form.title, limits.title), (form.description, limits.description)):
            message = f"The {field.name} is too long: {longest} characters are the limit."
            field.validators = (Length(max=longest, message=message),)
            field.render_kw = {"maxlength": longest}
        if not form.upload_key.data:
            form.upload_key.data = str(uuid.uuid4())
        return form


class DeleteForm(FlaskForm):  # type: ignore[misc]
    """Nothing but the token."""
