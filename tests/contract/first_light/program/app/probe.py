"""Fails unless the app says that it is well."""

from urllib.request import urlopen

urlopen("http://127.0.0.1:8000/health", timeout=2)
