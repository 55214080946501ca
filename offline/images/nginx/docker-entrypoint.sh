#!/bin/sh
# Runs the executable scripts of /docker-entrypoint.d in the order of their names (*.envsh in this shell, so that they can
# set variables), then the command. For another command than nginx only the command.
set -eu

if [ "${1:-}" = nginx ]; then
    for script in /docker-entrypoint.d/*; do
        [ -x "$script" ] || continue
        case "$script" in
            *.envsh) . "$script" ;;
            *.sh) "$script" ;;
        esac
    done
fi
exec "$@"
