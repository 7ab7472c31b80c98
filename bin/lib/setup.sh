# Sourced by bin/demo and bin/test: installs what is missing, and nothing that is there.
# Works as root or as a user with sudo; what it makes here belongs to whoever called.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VENV=$ROOT/.venv
STATE=$ROOT/.hostloom

say() { printf '\033[1m%s\033[0m\n' "$*"; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Commands that run as root keep their bytecode elsewhere, so that root owns no files in the checkout. Without bytecode,
# the hundreds of commands of the lab would compile their modules every time.
as_root() {
  local python=(env -u PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX=/var/cache/hostloom/bytecode)
  if [ "$(id -u)" = 0 ]; then
    "${python[@]}" "$@"
  elif command -v sudo >/dev/null; then
    sudo "${python[@]}" "$@"
  else
    fail "this needs root: $* (and there is no sudo)"
  fi
}

# Give what root made in the checkout to the user who called sudo.
give_back() {
  if [ "$(id -u)" = 0 ] && [ -n "${SUDO_UID:-}" ]; then
    chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$@"
  fi
}

RUNTIME_PACKAGES="ca-certificates python3 python3-venv python3-dev gcc pkg-config libvirt-dev openssh-client iproute2 procps ipxe
  busybox-static kmod tcpdump zstd qemu-utils xz-utils bzip2 gzip e2fsprogs mtools util-linux gpgv ipmitool mmdebstrap
  uidmap fdisk debian-archive-keyring curl efibootmgr gdisk xxhash"
LAB_PACKAGES="qemu-system-x86 qemu-utils libvirt-daemon-system libvirt-clients ipxe-qemu seabios ovmf dnsmasq-base
  iptables kea-dhcp4-server kea-dhcp6-server openssh-server iputils-ping"
TEST_PACKAGES="postgresql gnupg git strace netcat-openbsd golang-go golang-github-juju-gomaasapi-dev cloud-init
  netplan.io"

is_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed$'; }

# install_packages PACKAGE…: no service is started by it, and a policy that was there stays.
install_packages() {
  local missing=() package policy=/usr/sbin/policy-rc.d ours=no
  command -v dpkg-query >/dev/null || fail "this is no Debian or Ubuntu machine: install these yourself: $*"
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  say "Installing with apt: ${missing[*]}"
  if [[ " ${missing[*]} " == *" cloud-init "* ]]; then
    # The tests call it; it must not configure this machine when the machine boots.
    as_root mkdir -p /etc/cloud
    as_root touch /etc/cloud/cloud-init.disabled
  fi
  if [ ! -e $policy ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
    trap "as_root rm -f $policy" EXIT INT TERM
  fi
  as_root apt-get -qq update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null
  if [ $ours = yes ]; then
    as_root rm -f $policy
    trap - EXIT INT TERM
  fi
}

# make_environment LOCK: the distribution's Python in a separate environment (PEP 668), with bytecode of our code,
# because otherwise every start of a command would compile its modules.
make_environment() {
  install_python_packages "$1"
  "$VENV/bin/python" -m compileall -q "$ROOT/src"
  give_back "$ROOT/src"
}

# install_python_packages LOCK: LOCK names the file of pinned packages.
install_python_packages() {
  local lock=$ROOT/$1 stamp=$VENV/.installed wanted
  wanted=$(cat "$lock" "$ROOT/pyproject.toml" | sha256sum)
  if [ -f "$stamp" ] && { [ "$(cat "$stamp")" = "$wanted" ] || [ "$1" = requirements.lock ]; }; then
    return
  fi
  say "Installing Python packages into .venv"
  [ -x "$VENV/bin/python" ] || /usr/bin/python3 -m venv "$VENV"
  "$VENV/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or later is needed"
  "$VENV/bin/python" -m pip install -q --disable-pip-version-check uv
  # The system's certificates: some networks have an authority of their own.
  export VIRTUAL_ENV=$VENV UV_NATIVE_TLS=1 UV_COMPILE_BYTECODE=1
  "$VENV/bin/uv" pip install -q --require-hashes -r "$lock"
  "$VENV/bin/uv" pip install -q --no-deps -e "$ROOT"
  unset VIRTUAL_ENV UV_COMPILE_BYTECODE
  printf '%s' "$wanted" >"$stamp"
  give_back "$VENV"
}

# Clients of MAAS's API that the tests run unchanged, in separate environments, because their dependencies differ.
make_clients() {
  local where=$ROOT/.clients/libmaas wanted="python-libmaas==0.6.8 setuptools==80.9.0"
  [ -f "$where/.installed" ] && [ "$(cat "$where/.installed")" = "$wanted" ] && return
  say "Installing python-libmaas into .clients"
  export UV_NATIVE_TLS=1
  "$VENV/bin/uv" venv -q --clear --python /usr/bin/python3 "$where"
  # shellcheck disable=SC2086
  "$VENV/bin/uv" pip install -q --python "$where/bin/python" $wanted
  unset UV_NATIVE_TLS
  printf '%s' "$wanted" >"$where/.installed"
  give_back "$ROOT/.clients"
}
