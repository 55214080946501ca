"""Deliberate breakages of what the program makes of TLS."""

from __future__ import annotations

from tests.mocks.breaking import of

# fmt: off
EDGE, RELEASE, CERTIFICATES, CERTBOT = (
    f"components/{name}.py" for name in ("edge", "release", "certificates", "certbot")
)
SITE, NGINX, SETTINGS, TEXT = (
    f"slipway/{name}.py" for name in ("site/site", "nginx/routes", "site/edge", "nginx/tls")
)

TLS = of(
    "tls",
    the_edge_publishes_a_second_port_and_its_url_is_https=(EDGE, "if settings.tls.on else []\n", "if 0 else []\n"),
    dev_speaks_plain_http=(SITE, "return self.profile.edge and self.edge.tls.mode", "return self.edge.tls.mode"),
    the_local_certificate_is_for_every_name_and_this_machine=[
        (CERTIFICATES, "(*declared, *LOCAL", "(*LOCAL"),
        ("slipway/providers/certificate.py", '["authority_key", "combined"]', '["combined"]'),
    ],
    nginx_is_not_replaced_for_a_new_certificate_but_a_release_reloads_it=[
        (RELEASE, "certificate=edge.certificates.version if", "certificate='' if"),
        (CERTIFICATES, 'from_input({tls.SITE: ""})', "from_input({tls.SITE: self._names()[0]})"),
    ],
    hsts_and_strict_headers_reach_nginx=[
        (NGINX, "headers.http_part(edge.headers, hsts=edge.tls.hsts", "headers.http_part(edge.headers, hsts=0"),
        (NGINX, "            headers=site.edge.headers,\n", ""),
    ],
    certbot_has_one_certificate_for_each_server_and_no_way_to_anything_of_ours=(
        CERTBOT, "networks=args.networks.memberships(CERTBOT)", 'networks=args.networks.memberships("edge")'),
    certbot_writes_what_nginx_reads_and_keeps_its_account_to_itself=(
        "components/volumes.py", "retain_on_delete=context.site.profile.keep_data", "retain_on_delete=False"),
    nginx_has_a_certificate_to_start_with_and_follows_new_ones=(
        EDGE, "if site.acme else []), *NGINX", "if 0 else []), *NGINX"),
    certbot_asks_for_nothing_before_the_release_and_never_twice_at_once=[
        (CERTBOT, "delete_first=True", "delete_first=False"),
        (CERTBOT, "started_after=[args.release]", "started_after=[]"),
    ],
    another_authority_may_issue=(SETTINGS, "return self.directory or", "return"),
    a_certificate_that_was_brought_along_reaches_nginx_as_a_file_and_nothing_else=(
        CERTIFICATES, "return Pair(chain, key)", "return Pair(chain, chain)"),
    a_new_nginx_finds_the_certificates_that_the_routes_of_another_mode_name=[
        (CERTIFICATES, "(tls.SITE, *self._per_server()), combined", "(tls.SITE,), combined"),
        (CERTIFICATES, "paths=[tls.SITE, *self._per_server()]", "paths=self._per_server()"),
    ],
    a_new_nginx_starts_with_what_the_release_of_before_wrote_for_it=[
        ("slipway/nginx/routes.py", "routes_conf(replace(edge, tls=None), releases)", "routes_conf(edge, releases)"),
        (EDGE, ", tls=settings.tls.on)", ", tls=True)"),
    ],
    a_rotated_key_is_asked_for_from_whoever_makes_it_and_nginx_stays=[
        (CERTIFICATES, "generation=args.secrets.generation(EDGE, rotation.TLS)", "generation=0"),
        (CERTBOT, "certificates.args.secrets.generation(EDGE, rotation.TLS)", "0"),
        ("slipway/core/rotation.py", "owned[EDGE] = [TLS]", "owned[EDGE] = []"),
    ],
    without_tls_nothing_of_it_is_there=(
        TEXT, "if not (settings.on and site.profile.edge):", "if not site.profile.edge:"),
)
