# Sourced after debian.sh by tests/run: what the tests run against, unpacked beside the system instead
# of installed: servers, because installing one starts its service where init runs, and because Debian
# 12 has Valkey only among its backports; a library of the next release. Neither root nor the user's
# apt settings are touched.
# shellcheck shell=bash

apt_tree=${cache:?}/apt
servers=$cache/servers

# ensure_server PROGRAM [PACKAGE]: from the package of its own name, or that one. The machine's own is
# used where it has one.
ensure_server() {
  if command -v "$1" >/dev/null; then return; fi
  ensure_unpacked "$1" "$1" "${2:-$1}"
}

# ensure_unpacked NAME PROGRAM PACKAGE: in .cache/servers/NAME, whatever the machine has.
ensure_unpacked() {
  if tells_version "$1"; then return; fi
  say "fetching beside the system: $3"
  case $(distribution VERSION_CODENAME) in
    bookworm) prepare_apt_tree bookworm bookworm-backports ;;
    *) prepare_apt_tree "$(distribution VERSION_CODENAME)" ;;
  esac
  unpack_server "$@"
  tells_version "$1" || die "the fetched $1 does not run"
}

tells_version() { # NAME
  local word
  for word in --version -v version; do
    if "$servers/$1/run" "$word" >/dev/null 2>&1; then return; fi
  done
  return 1
}

server_path() { # PROGRAM
  command -v "$1" || echo "$servers/$1/run"
}

# The address of Debian's main archive, as this system's own apt knows it.
# shellcheck disable=SC2016 # the dollars are apt's
main_archive() {
  apt-get indextargets --format '$(REPO_URI)|$(SOURCESENTRY)' 'Created-By: Packages' \
    "Codename: $(distribution VERSION_CODENAME)" 'Component: main' 'Origin: Debian' | sed -n 1p
}

private_apt() {
  local program=$1
  shift
  "$program" -o Dir::State::lists="$apt_tree/lists" -o Dir::Cache="$apt_tree/cache" \
    -o Dir::Etc::sourcelist="$apt_tree/sources.list" -o Dir::Etc::sourceparts=- \
    -o Debug::NoLocking=1 -o APT::Sandbox::User=root "$@"
}

# ensure_next_llhttp: Debian 13's llhttp, in $next_llhttp. Nothing to do where the system has it.
next_llhttp=$cache/llhttp-9
ensure_next_llhttp() {
  local apt_tree=$cache/apt-trixie package
  if [[ $(llhttp_package) == libllhttp-dev || -d $next_llhttp ]]; then return; fi
  say "fetching beside the system: Debian 13's llhttp"
  prepare_apt_tree trixie
  (cd "$apt_tree/cache" && quietly llhttp-9 private_apt apt-get download libllhttp-dev libllhttp9.2) ||
    die "could not fetch libllhttp-dev"
  for package in "$apt_tree"/cache/*.deb; do dpkg-deb -x "$package" "$next_llhttp"; done
  sed -i "s|=/usr|=$next_llhttp/usr|" "$next_llhttp"/usr/lib/*/pkgconfig/libllhttp.pc
}

# A tree of lists and downloads of our own; the system's list of what is installed is only read, so
# that libraries which are missing come along.
prepare_apt_tree() { # SUITE...
  local entry uri file signed suite
  if [[ -f $apt_tree/ready ]]; then return; fi
  entry=$(main_archive)
  if [[ -z $entry ]]; then
    ((EUID == 0)) || command -v sudo >/dev/null || die "apt has no package lists: run apt-get update as root"
    update_package_lists
    entry=$(main_archive)
  fi
  [[ -n $entry ]] || die "apt's sources name no Debian main archive for this release"
  uri=${entry%%|*} file=${entry#*|}
  # "file:7" in either of apt's formats: "Signed-By: KEYRING" or "[signed-by=KEYRING]".
  signed=$(grep -oiE -m 1 'signed-by[:=] *[^], ]+' "${file%:*}" | head -n 1 | sed -E 's/^[^:=]+[:=] *//') || true
  mkdir -p "$apt_tree/lists/partial" "$apt_tree/cache/archives/partial"
  for suite in "$@"; do write_source "$uri" "$suite" "$signed"; done >"$apt_tree/sources.list"
  quietly beside-update private_apt apt-get update || die "could not read the archive's package lists"
  touch "$apt_tree/ready"
}

write_source() { # URI SUITE KEYRING
  printf 'deb %s%s %s main\n' "${3:+[signed-by=$3] }" "$1" "$2"
}

unpack_server() { # NAME PROGRAM PACKAGE
  local tree=$servers/$1/tree libraries package
  rm -rf "${servers:?}/$1" "$apt_tree"/cache/archives/*.deb
  mkdir -p "$tree"
  quietly "beside-$1" private_apt apt-get install -y --download-only --no-install-recommends "$3" || {
    rm -f "$apt_tree/ready" # perhaps the lists were too old: the next run reads them anew
    die "could not fetch $1"
  }
  for package in "$apt_tree"/cache/archives/*.deb; do dpkg-deb -x "$package" "$tree"; done
  libraries=$(find "$tree" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
  cat >"$servers/$1/run" <<RUN
#!/bin/sh
export LD_LIBRARY_PATH='$libraries'
exec '$(find "$tree"/usr/bin "$tree"/usr/sbin -name "$2" 2>/dev/null | head -n 1)' "\$@"
RUN
  chmod +x "$servers/$1/run"
}
