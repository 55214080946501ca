#!/bin/sh
# Writes each /etc/nginx/templates/NAME.template as /etc/nginx/conf.d/NAME, with the environment's variables filled in.
# Only names that the environment has (and that match NGINX_ENVSUBST_FILTER) are touched: nginx's own $uri stays.
set -eu

templates=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
output=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
[ -d "$templates" ] || exit 0
if [ ! -w "$output" ]; then
    echo "$0: $templates exists, but $output is not writable: no template filled in" >&2
    exit 0
fi
names=$(awk 'BEGIN { for (name in ENVIRON) if (name ~ ENVIRON["NGINX_ENVSUBST_FILTER"]) printf "${%s} ", name }')
find "$templates" -follow -type f -name "*$suffix" | while read -r template; do
    target=$output/${template#"$templates"/}
    target=${target%"$suffix"}
    mkdir -p "$(dirname "$target")"
    envsubst "$names" < "$template" > "$target"
done
