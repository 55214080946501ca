#!/bin/sh
# Finds a Python that can run set-up (3.11 or newer, with venv) or installs Debian's, and becomes it.
set -eu
cd "$(dirname "$0")/../.."

able() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

for python in "${PYTHON:-python3}" /usr/bin/python3; do
    if able "$python"; then exec "$python" -m slipway.setup "$@"; fi
done
install="apt-get install -y --no-install-recommends python3 python3-venv ca-certificates"
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "error: Python 3.11 or newer with its venv module is needed (name one with PYTHON=...)" >&2
    echo "  sudo $install        (Debian, Ubuntu)" >&2
    exit 1
fi
if [ -t 0 ] && [ -t 2 ]; then
    printf 'Install Python?  %s [Y/n] ' "$install" >&2
    read -r answer
    case "$answer" in ''|y|Y|yes) ;; *) echo "  install Python 3.11 or newer yourself, then: make setup" >&2; exit 1 ;; esac
fi
echo "Python         Debian's python3  (none able to run set-up was found)" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq && $install >&2
exec /usr/bin/python3 -m slipway.setup "$@"
