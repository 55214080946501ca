"""What only a shell would understand of a command."""

from __future__ import annotations

import shlex

import pytest

from slipway.settings import commands

FOR_A_SHELL = {
    "python migrate.py && python more.py": "&&",
    "python migrate.py&&python more.py": "&&",
    "a || b": "|",
    "a; b": ";",
    "a | tee log": "|",
    "a|b": "|",
    "a > log": ">",
    "a 2>&1": ">",
    "a < dump.sql": "<",
    "a &": "&",
    "echo $HOME": "$H",
    'echo "${HOME}"': "${",
    "echo $(date)": "$(",
    "echo `date`": "`",
    "FLASK_DEBUG=1 flask run": "FLASK_DEBUG=1",
    "cd /tmp": "cd",
    "exec gunicorn app": "exec",
    "sh -c 'a' && b": "&&",
    "sh -c $HOME": "$H",
}
NOT = [
    "flask --app manage db upgrade",
    "sh -c 'a && b | c > d; echo $HOME'",
    '/bin/bash -c "echo $HOME && b"',
    "grep 'a|b' \"c;d\"",
    r"find . -exec rm {} \;",
    r"echo \$HOME",
    "curl http://x/?a=1&b=2",
    "awk '{print $1}' f",
    "echo '$HOME'",
    "echo costs 5$ today",
    "celery -A app worker --pool=solo",
]


@pytest.mark.parametrize("text", FOR_A_SHELL)
def test_what_is_for_a_shell_is_found_and_a_shell_is_offered(text: str) -> None:
    assert commands.for_a_shell(text) == FOR_A_SHELL[text]
    offered = commands.in_a_shell(text)
    assert shlex.split(offered) == ["sh", "-c", text]
    assert commands.for_a_shell(offered) is None


@pytest.mark.parametrize("text", NOT)
def test_what_is_quoted_or_a_shells_own_is_left_alone(text: str) -> None:
    assert commands.for_a_shell(text) is None
