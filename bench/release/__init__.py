"""Releases of a real site under load: what the visitors notice of them. `python -m bench.release --help`"""
