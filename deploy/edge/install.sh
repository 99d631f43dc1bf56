#!/bin/sh
# Install, or bring up to date, the edge controller on this machine: Debian 13, Raspberry Pi OS (trixie), Ubuntu 24.04 or
# newer, amd64 or arm64. As root, from a checkout of the repository:
#
#   deploy/edge/install.sh              an edge for this site           (service ems-edge)
#   deploy/edge/install.sh fleet        many edges in one process       (service ems-edge-fleet)
#
# It makes: user ems-edge, /opt/ems-edge (program, locked dependencies), /etc/ems-edge (bootstrap file and key, yours to
# edit; never overwritten), /var/lib/ems-edge (the store), and the service. Run again, it updates the program only.
set -eu
cd "$(dirname "$0")/../.."
kind=${1:-edge}
target=${EMS_EDGE_HOME:-/opt/ems-edge}
config=/etc/ems-edge

fail() { printf '%s\n' "$*" >&2; exit 1; }
say() { printf '  %s\n' "$*"; }

case $kind in
edge) service=ems-edge ;;
fleet) service=ems-edge-fleet ;;
*) fail "deploy/edge/install.sh knows the words edge and fleet, not '$kind'" ;;
esac
[ "$(id -u)" = 0 ] || fail "Run it as root: sudo deploy/edge/install.sh"

python=
for candidate in ${EMS_PYTHON:-} python3.14 python3.13 python3.12 python3; do
    if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -c 'import sys, ssl, sqlite3, venv, ensurepip
raise SystemExit(sys.version_info < (3, 12))' >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "No Python 3.12 or newer with venv was found.
  Debian 13, Raspberry Pi OS trixie, Ubuntu 24.04:  apt-get install python3 python3-venv
  elsewhere: install one and name it: EMS_PYTHON=/path/to/python3.13 deploy/edge/install.sh"

getent passwd ems-edge >/dev/null || useradd --system --home-dir /var/lib/ems-edge --shell /usr/sbin/nologin ems-edge
if getent group dialout >/dev/null; then usermod --append --groups dialout ems-edge; fi

say "Program into $target, with $("$python" --version) on $(uname -m) ..."
install -d -m 0755 "$target" "$target/source" "$target/source/docs/guides"
rm -rf "$target/source/contract" "$target/source/edge"
cp -R contract edge "$target/source/"
cp docs/guides/*.md "$target/source/docs/guides/"
[ -x "$target/venv/bin/python" ] || "$python" -m venv "$target/venv"
"$target/venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/edge.txt
"$target/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
    --force-reinstall "$target/source/contract" "$target/source/edge"
ln -sf "$target/venv/bin/ems-edge" /usr/local/bin/ems-edge

install -d -m 0750 -o root -g ems-edge "$config"
install -d -m 0700 -o ems-edge -g ems-edge /var/lib/ems-edge
[ "$kind" = edge ] || install -d -m 0750 -o root -g ems-edge "$config/fleet.d"
if [ "$kind" = edge ] && [ ! -e "$config/edge.yaml" ]; then
    install -m 0640 -o root -g ems-edge deploy/edge/edge.yaml "$config/edge.yaml"
fi

install -m 0644 "deploy/edge/$service.service" "/etc/systemd/system/$service.service"
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl enable --quiet "$service"
    if systemctl is-active --quiet "$service"; then systemctl restart "$service"; fi
fi
say "Installed: $(ems-edge --version 2>/dev/null || echo ems-edge)"
[ "$kind" != edge ] || [ -e "$config/edge.key" ] || say "Next: the address in $config/edge.yaml, the key in $config/edge.key, then: systemctl start ems-edge"
[ "$kind" != fleet ] || say "Next: a bootstrap file for each edge in $config/fleet.d, then: systemctl start ems-edge-fleet"
