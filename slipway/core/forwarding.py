"""What a service is told about the request: by whom, for which name, over what. As nginx's text.

Whatever a client says of itself is overwritten, unless it is a proxy that the site trusts.
"""

from __future__ import annotations

ASKED_HOST = "$host$is_request_port$request_port"
"""The name by which nginx chose the server, and the port that the client asked at. $http_host would be what the client
says beside it: with a whole URL in the request line the two may differ, and `edge.hosts` would hold for the one while
the service believes the other. The variables of the port are nginx's since 1.29.3."""


def lines(*, host: str = ASKED_HOST, proto: str = "$scheme") -> str:
    """The headers that replace the client's own."""
    values = {
        "Host": host,
        "Connection": '""',
        "X-Real-IP": "$remote_addr",
        "X-Forwarded-For": "$remote_addr",
        "X-Forwarded-Proto": proto,
        "X-Forwarded-Host": host,
        "X-Forwarded-Prefix": '""',
        "Forwarded": '""',
        "X-Request-ID": "$request_id",
    }
    return "".join(f"    proxy_set_header {name} {value};\n" for name, value in values.items())


def trusting(networks: tuple[str, ...]) -> str:
    """The same in a server for visitors, who may come through proxies in these networks."""
    if not networks:
        return lines()
    real_ip = "".join(f"    set_real_ip_from {network};\n" for network in networks)
    return f"""\
{real_ip}    real_ip_header X-Forwarded-For;
    real_ip_recursive on;
{lines(proto="$forwarded_proto")}"""


def http_part(networks: tuple[str, ...]) -> str:
    """What `trusting` needs: $forwarded_proto is believed from those networks only."""
    if not networks:
        return ""
    trusted = "".join(f"    {network} 1;\n" for network in networks)
    return f"""\
geo $realip_remote_addr $trusted_proxy {{
    default 0;
{trusted}}}
map "$trusted_proxy:$http_x_forwarded_proto" $forwarded_proto {{
    default $scheme;
    "1:https" https;
    "1:http" http;
}}
"""
