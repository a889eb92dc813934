# Sourced by packaging/quickstart and tests/run: says what happens, and brings what is missing from
# Debian 12 or 13. Wants $root, the repository's directory. Everything it leaves is below $root/.cache.
# shellcheck shell=bash

cache=${root:?}/.cache
logs=$cache/logs
mkdir -p "$logs"

say() { printf '==> %s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# quietly NAME COMMAND...: the output goes to a log; its end is shown when the command fails.
quietly() {
  local log=$logs/$1.log status=0
  shift
  "$@" >"$log" 2>&1 </dev/null || status=$?
  ((status == 0)) || show_log "$log" "'$*' ended with status $status"
  return "$status"
}

show_log() { # LOG WHY
  printf -- '--- %s; the end of %s:\n' "$2" "$1" >&2
  tail -n 40 "$1" | sed 's/^/    /' >&2
  printf -- '---\n' >&2
}

distribution() { # FIELD of os-release, empty where there is none
  # shellcheck source=/dev/null
  (. /etc/os-release 2>/dev/null && printf '%s' "${!1:-}") || true
}

# The C sources of llhttp have a package of their own from Debian 13 on.
llhttp_package() {
  if [[ $(distribution VERSION_ID) == 12 ]]; then echo node-llhttp; else echo libllhttp-dev; fi
}

build_packages() {
  echo g++ meson ninja-build pkg-config liburing-dev libhiredis-dev libsimdjson-dev libc-ares-dev \
    libssl-dev libcli11-dev libspdlog-dev prometheus-cpp-dev "$(llhttp_package)"
}

missing_packages() { # PACKAGE...
  local package
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      printf '%s ' "$package"
  done
}

# The path of the default seccomp profile: Podman's, in Debian a file of its own; Docker's is made of the same list.
default_seccomp_profile() {
  local profile=/usr/share/containers/seccomp.json tree=$cache/seccomp
  if [[ ! -e $profile && ! -e $tree$profile ]]; then
    mkdir -p "$tree"
    (cd "$tree" && quietly seccomp apt-get download golang-github-containers-common) ||
      die "could not fetch golang-github-containers-common, which has the default seccomp profile"
    dpkg-deb -x "$tree"/golang-github-containers-common_*.deb "$tree"
  fi
  if [[ -e $profile ]]; then echo "$profile"; else echo "$tree$profile"; fi
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

update_package_lists() {
  say "reading the package lists"
  quietly apt-update as_root apt-get update || die "apt-get update failed"
}

try_install() { # PACKAGE...
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    -o DPkg::Lock::Timeout=120 "$@"
}

# install_packages PACKAGE...: only what is missing; no apt at all when nothing is.
install_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    die "this needs Debian's apt; elsewhere, install what Debian calls: $*"
  fi
  local missing
  read -ra missing <<<"$(missing_packages "$@")"
  ((${#missing[@]})) || return 0
  ((EUID == 0)) || command -v sudo >/dev/null ||
    die "neither root nor sudo here; as root, run: apt-get install -y ${missing[*]}"
  say "installing: ${missing[*]}"
  # Lists that are absent or too old to fetch from are the one failure worth a second try.
  if try_install "${missing[@]}" >"$logs/apt-install.log" 2>&1 </dev/null; then return; fi
  update_package_lists
  quietly apt-install try_install "${missing[@]}" || die "could not install: ${missing[*]}"
}
