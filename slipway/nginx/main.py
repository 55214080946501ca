"""nginx.conf of the edge: what stays the same over releases, so that the edge's container stays the same too.

Everything that a release or a setting changes is in the files that it includes from LIVE (slipway.nginx.routes) and
takes effect by a reload. nginx runs as its own user on a read-only root: TEMPORARY must be a writable folder of that
user (on disk, not a tmpfs: request bodies are kept there), and PID's folder a tmpfs.
"""

from __future__ import annotations

import math

from slipway.core import fingerprints
from slipway.core.timeouts import CLIENT_KEEPALIVE_MIN, WORKER_SHUTDOWN, ladder
from slipway.nginx import media_types

USER = 101
LIVE = "/etc/nginx/live"
ROUTES, TLS_ROUTES = "routes", "tls-routes"
"""The files of routes, without their ending: for an nginx without certificates, and for one with them. A release writes
both: where TLS is turned on or off, the new nginx starts with routes that suit it, and serves."""
CONFIG = "/etc/nginx/slipway"
MAIN_FILE = "nginx.conf"
MAIN = f"{CONFIG}/{MAIN_FILE}"
STATIC = "/srv/static"
TEMPORARY = "/var/cache/nginx"
PID = "/tmp/nginx.pid"  # noqa: S108 - a tmpfs of the container's own
INTERNAL_PORT = 8079
"""Listener on the container's loopback only: the health check, and each upstream under its own name."""
HEALTH_URL = f"http://127.0.0.1:{INTERNAL_PORT}/"
CONNECTIONS = 16384
"""Of all workers together, and open files of the container: an engine grants no more of these than it has itself, which
may be 20,000. 4,000 connections that never end their request were measured to take 76 MB, or 190 MB with 30 KB each."""
HEADER_SECONDS = 10
"""In which the whole head of a request, or a TLS handshake, has to arrive."""
LONGEST_ANSWER_HEAD = 64
"""KiB that all headers of an answer may have together."""
CONNECT = 2
"""Seconds to connect to a service: it is one network hop away."""
TEMP_PATHS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def main_conf(*, drain: int, cpus: float = 1.0, tls: bool = False) -> str:
    """The text of nginx.conf. `drain`: the longest request in seconds; `cpus`: the edge's limit, a worker per core;
    `tls`: whether there are certificates."""
    steps, workers = ladder(drain), max(1, math.ceil(cpus))
    temporary = "\n".join(f"    {kind}_temp_path {TEMPORARY}/{kind};" for kind in TEMP_PATHS)
    return f"""\
worker_processes {workers};
worker_shutdown_timeout {WORKER_SHUTDOWN}s;
pid {PID};
# Outside of requests: only what keeps nginx from working. Workers of before a reload look up names of former containers
# to their end, and would complain every two seconds that there are none.
error_log stderr crit;

events {{
    worker_connections {max(2048, CONNECTIONS // workers)};
}}

http {{
    error_log stderr error;
{media_types.http_part()}    charset utf-8;
    server_tokens off;
    sendfile on;
    tcp_nopush on;
    absolute_redirect off;
    underscores_in_headers off;  # a client could otherwise set SCRIPT_NAME
{temporary}

    # The query is left out: it may hold tokens. ($uri would be what try_files made of the path.)
    map $request_uri $asked_path {{
        "~^([^?]*)" $1;
    }}
    log_format json escape=json '{{"time":"$time_iso8601","client":"$remote_addr","host":"$host",'
        '"method":"$request_method","path":"$asked_path","status":$status,"bytes":$body_bytes_sent,'
        '"request_bytes":$request_length,"seconds":$request_time,'
        '"upstream":"$proxy_host","upstream_address":"$upstream_addr","upstream_status":"$upstream_status",'
        '"upstream_seconds":"$upstream_response_time","request_id":"$request_id"}}';
    access_log /dev/stdout json;

    keepalive_timeout 65s;
    keepalive_min_timeout {CLIENT_KEEPALIVE_MIN}s;
    client_header_timeout {HEADER_SECONDS}s;
    reset_timedout_connection on;
    client_body_timeout {steps.request}s;
    send_timeout {steps.request}s;

    # Names are asked for again and again: containers come and go, and their addresses with them.
    resolver 127.0.0.11 valid=1s ipv6=off;
    resolver_timeout 2s;
    proxy_http_version 1.1;
    proxy_connect_timeout {CONNECT}s;
    proxy_send_timeout {steps.request}s;
    proxy_read_timeout {steps.request}s;
    # Never `non_idempotent`: a POST must not arrive twice. Nor `timeout`: see slipway.nginx.retry.
    proxy_next_upstream error;
    proxy_next_upstream_tries 2;
    proxy_buffers 16 16k;
    proxy_buffer_size {LONGEST_ANSWER_HEAD}k;
    proxy_headers_hash_max_size 1024;
    proxy_headers_hash_bucket_size 128;
    server_names_hash_max_size 4096;
    server_names_hash_bucket_size 512;  # a name has up to 253 characters
    proxy_redirect off;

    # A name with a hash in it never changes its content.
{fingerprints.nginx_map("static_cache", "public, max-age=31536000, immutable", "no-cache")}
    server {{
        listen 127.0.0.1:{INTERNAL_PORT} default_server;
        access_log off;
        location = / {{
            return 204;
        }}
        location / {{
            return 404;
        }}
    }}
    include {LIVE}/upstreams*.conf;
    include {LIVE}/{TLS_ROUTES if tls else ROUTES}*.conf;
    # Answers only as long as there are no routes yet: nginx takes the first server of a port where none is the default.
    server {{
        listen 80;
        server_name before-the-first-release.invalid;
        return 503;
    }}
}}
"""
