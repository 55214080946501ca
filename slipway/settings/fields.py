"""Types of single settings: what a user may write, brought into the one form that the program uses.

Each refuses with a text that can stand after the setting's path.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from slipway.core.schedule import Cron
from slipway.settings import commands

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_URL_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")
_ENTRY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\(.*\))?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_EMAIL = re.compile(r"[^@\s,<>\"']+@[^@\s,<>\"']+\.[^@\s,<>\"'.]+")
LONGEST_NAME = 20


def refuse(what: str, suggestion: str | None = None) -> PydanticCustomError:
    """The error to raise; `what` completes the sentence that the path begins, `suggestion` is a value to write."""
    return PydanticCustomError("slipway", "{what}", {"what": what, "suggestion": suggestion})


def is_name(text: str) -> bool:
    """Whether a service or a volume may be called so: it becomes a host name, a database and part of resource names."""
    return bool(_NAME.fullmatch(text)) and len(text) <= LONGEST_NAME


def others_volume(key: str) -> tuple[str, str] | None:
    """The service and its volume, where a key of `volumes` names another service's: images.uploads."""
    owner, _, volume = key.partition(".")
    return (owner, volume) if _NAME.fullmatch(owner) and _NAME.fullmatch(volume) else None


def is_variable(text: str) -> bool:
    """Whether an environment variable may be called so."""
    return bool(_VARIABLE.fullmatch(text))


def is_url_path(text: str) -> bool:
    """Whether it is a plain path of a URL, from the slash on."""
    return (
        text.startswith("/")
        and bool(_URL_PATH.fullmatch(text))
        and "/../" not in f"{text}/"
        and "/./" not in f"{text}/"
    )


def _route(text: str) -> str:
    if not text.startswith("/"):
        suggestion = f"/{text.strip('/')}/"
        what = f"{text!r} must begin with a slash; a name such as images.example.org belongs to `host`"
        raise refuse(what, suggestion if is_url_path(suggestion) else None)
    if not is_url_path(text):
        raise refuse(f"{text!r} is no plain path: letters, digits and . _ ~ - between slashes")
    return text if text.endswith("/") else f"{text}/"


def _probe(text: str) -> str:
    if not text.startswith("/"):
        raise refuse(f"{text!r} must begin with a slash", f"/{text}")
    if any(character.isspace() or character in "\"'\\{};$" for character in text):
        raise refuse(f"{text!r} must be a path without spaces, quotes and braces")
    return text


def _host(text: str) -> str:
    if "/" in text or ":" in text:
        raise refuse(f"{text!r} must be a name alone, without http:// and without a port or path")
    if not _HOST.fullmatch(text.lower()):
        raise refuse(f"{text!r} is no host name")
    return text.lower()


def _entry(text: str) -> str:
    if not _ENTRY.fullmatch(text):
        raise refuse(f"{text!r} must be module:variable, or module:function() for a factory")
    return text


def _cron(text: str) -> str:
    try:
        Cron(text)
    except ValueError as error:
        raise refuse(str(error)) from None
    return text


def _words(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise refuse(f"{value!r} cannot be split into words: {str(error).lower()}") from error
    if not words:
        raise refuse("must not be empty")
    if found := commands.for_a_shell(value):
        raise refuse(
            f"no shell reads it, and {found} is for one; quote it if you mean the text", commands.in_a_shell(value)
        )
    return words


def as_text(value: Any) -> Any:
    """A number or a truth value as the text that a program gets; anything else as it is."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    return value


def _text(value: Any) -> Any:
    value = as_text(value)
    if isinstance(value, str) and "\0" in value:
        raise refuse("must not hold a null character")
    return value


def word_or_table(words: type[StrEnum], key: str) -> Callable[[Any], Any]:
    """Takes one of the words for a table with nothing but that key. YAML reads `off` as false."""

    def table(value: Any) -> Any:
        word = _off(value)
        if isinstance(word, str) and word not in set(words):
            *most, last = words
            raise refuse(f"must be {', '.join(most)} or {last}, not {word!r}")
        return {key: word} if isinstance(word, str) else value

    return table


def _off(value: Any) -> Any:
    return "off" if value is False else value


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise refuse(f"{text!r} is no e-mail address")
    return text


def _directory(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or any(character.isspace() for character in text):
        raise refuse(f"{text!r} must be the https:// URL of an ACME directory")
    return text


def _database(value: Any) -> Any:
    return {} if value is True or value == "true" else None if value is False or value == "false" else value


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise refuse(f"{text!r} must be an address of this machine: 127.0.0.1, or 0.0.0.0 for all of them") from None


def _network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise refuse(f"{text!r} must be an address or a network such as 10.0.0.0/8") from None
    if network.prefixlen == 0:
        raise refuse(f"{text!r} would believe the X-Forwarded-For of everybody")
    return str(network)


def _image(text: str) -> str:
    name = text.rpartition("/")[2]
    if not text or any(character.isspace() for character in text):
        raise refuse(f"{text!r} is no image name")
    if ":" not in name and "@" not in name:
        raise refuse(f"{text!r} names no version, so it would change by itself", f"{text}:VERSION")
    if name.endswith(":latest"):
        raise refuse(f"{text!r} changes by itself; name a version", f"{text.removesuffix('latest')}VERSION")
    return text


Route = Annotated[str, AfterValidator(_route)]
ProbePath = Annotated[str, AfterValidator(_probe)]
Host = Annotated[str, AfterValidator(_host)]
Entry = Annotated[str, AfterValidator(_entry)]
CronExpression = Annotated[str, AfterValidator(_cron)]
Words = Annotated[
    tuple[str, ...],
    BeforeValidator(_words),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Text = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Address = Annotated[str, AfterValidator(_address)]
Network = Annotated[str, AfterValidator(_network)]
ImageName = Annotated[str, AfterValidator(_image)]
Email = Annotated[str, AfterValidator(_email)]
DirectoryUrl = Annotated[str, AfterValidator(_directory)]
OffIsAWord = BeforeValidator(_off)
OnOrTable = BeforeValidator(_database)
"""`true` for a table of defaults, `false` for none."""
