"""An echo over WebSocket that tells which release it is, as an app with flask-sock has it."""

import os

import flask
from flask_sock import Server, Sock

websockets = flask.Flask(__name__)


@Sock(websockets).route("/socket")  # type: ignore[untyped-decorator]
def echo(websocket: Server) -> None:
    while True:
        websocket.send(f"{os.environ['RELEASE']} {websocket.receive()}")
