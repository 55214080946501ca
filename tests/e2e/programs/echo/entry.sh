#!/bin/sh
# As many images do it: writes a file of settings out of the environment, then becomes the command.
set -e
printf 'token=%s user=%s\n' "${TOKEN:?}" "$(id -u)" > /tmp/settings
exec "$@"
