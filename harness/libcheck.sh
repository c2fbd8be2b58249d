#!/usr/bin/env bash
# Builds Check's library for another ABI, from Debian's source package, which apt-get fetches and verifies: leaves
# libcheck.a and its headers in FOLDER. apt-get's lists of source packages go to build/libcheck too, not to the machine's.
set -euo pipefail

[[ $# -eq 3 ]] || {
  echo "usage: harness/libcheck.sh ABI CC FOLDER" >&2
  exit 100
}
abi=$1
compiler=$2
folder=$PWD/$3
source=$PWD/build/libcheck

die() {
  printf 'sockspec: cannot build libcheck for %s: %s\n' "$abi" "$1" >&2
  exit 1
}

source_apt() {
  apt-get -qq -o Dir::State::lists="$source/lists" -o Dir::Etc::sourcelist="$source/sources.list" \
    -o Dir::Etc::sourceparts=- -o APT::Sandbox::User="$(id -un)" "$@"
}

fetch() {
  # shellcheck disable=SC2016 # apt-get fills these in
  apt-get indextargets --format 'deb-src $(REPO_URI) $(CODENAME) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' 'Component: main' | sort -u >"$source/sources.list"
  (cd "$source" && source_apt update && source_apt source --download-only check)
  mkdir "$source/unpacking" && tar -xzf "$source"/check_*.orig.tar.gz --strip-components=1 -C "$source/unpacking"
  mv "$source/unpacking" "$source/check"
}

mkdir -p "$source/lists/partial" "$folder/build"
exec {lock}>"$source/.lock"
flock "$lock"
[[ -d $source/check ]] || said=$(fetch 2>&1) || die "$(tail -n 3 <<<"$said")"
flock -u "$lock"

cd "$folder/build"
tools=(AR="$abi-linux-gnu-ar" RANLIB="$abi-linux-gnu-ranlib")
host=$abi-linux-gnu
if [[ $abi == *-macos ]]; then
  zig=${compiler%% *}
  [[ $zig == /* ]] || zig=$OLDPWD/$zig
  compiler="$zig ${compiler#* }"
  tools=(AR="$zig ar" RANLIB="$zig ranlib")
  host=${abi%-macos}-apple-darwin
fi
said=$({
  "$source/check/configure" -q --host="$host" --disable-shared --disable-subunit CC="$compiler" "${tools[@]}" &&
    make -s -C lib && make -s -C src libcheck.la check.h
} 2>&1) || die "$(tail -n 5 <<<"$said")"
cp src/check.h check_stdint.h "$folder"
cp src/.libs/libcheck.a "$folder"
rm -r "$folder/build"
