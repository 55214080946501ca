"""The examples are tested in the environment, and with the fixtures, of all other tests."""

from tests.conftest import pytest_configure, virtualenv

__all__ = ["pytest_configure", "virtualenv"]
