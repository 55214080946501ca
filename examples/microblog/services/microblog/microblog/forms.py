"""The forms, each protected against requests from other sites by Flask-WTF."""

from __future__ import annotations

import uuid

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField, SubmitField, TextAreaField
from wtforms.validators import UUID, DataRequired, Length, Regexp

NAME = r"[A-Za-z0-9_]{1,40}"


class LoginForm(FlaskForm):
    name = StringField("Name", [DataRequired(), Length(max=40)])
    password = PasswordField("Password", [DataRequired(), Length(max=128)])
    submit = SubmitField("Log in")


class RegisterForm(FlaskForm):
    name = StringField("Name", [Regexp(rf"{NAME}\Z", message="Up to 40 letters, digits and underscores.")])
    password = PasswordField("Password", [Length(12, 128)])
    submit = SubmitField("Register")


class PostForm(FlaskForm):
    body = TextAreaField("What is new?", [DataRequired(), Length(max=280)])
    key = HiddenField(default=lambda: str(uuid.uuid4()), validators=[UUID()])
    submit = SubmitField("Post")


class AboutForm(FlaskForm):
    about = TextAreaField("About you", [Length(max=200)])
    submit = SubmitField("Save")


class ButtonForm(FlaskForm):
    """A button alone: what it does is in the address that it is sent to."""
