"""The pages, and what a health check asks."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template
from sqlalchemy import func, select

from .models import Gallery, Project, database

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def index() -> str:
    projects = database.session.scalars(select(Project).order_by(Project.id)).all()
    galleries = database.session.scalars(select(Gallery).filter_by(parent=None).order_by(Gallery.id)).all()
    contact = current_app.config["CONTACT_EMAIL"]
    return render_template("index.html", projects=projects, galleries=galleries, contact=contact)


@blueprint.get("/galleries/<slug>")
def gallery(slug: str) -> str:
    found = database.first_or_404(select(Gallery).filter_by(slug=slug))
    return render_template("gallery.html", gallery=found)


@blueprint.get("/health")
def health() -> str:
    return "well"


@blueprint.get("/ready")
def ready() -> str:
    return f"{database.session.scalar(select(func.count(Project.id)))} projects"
