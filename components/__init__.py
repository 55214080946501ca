"""Reusable components: they know Docker, gunicorn, nginx and Postgres, and no service of any site."""
