# Shared by the steps of tools/setup: speaking, failing, stamps.
# shellcheck shell=bash

say() { printf 'setup: %s\n' "$*"; }

# fail WHAT-FAILED WHAT-TO-DO
fail() {
  printf 'setup: FAILED: %s: %s\n' "$1" "$2" >&2
  exit 1
}

# as_root COMMAND…: runs it as it is for root, with sudo for others.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "'$*' needs root" "run tools/setup as root, or install sudo"
  fi
}

# logged NAME COMMAND…: runs it with its output in $cache/log/NAME.log; a failure shows the last lines and that path.
logged() {
  local log=$cache/log/$1.log
  shift
  mkdir -p "$cache/log"
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 15 "$log" >&2
    return 1
  fi
}

# hash_of TEXT…: a short name for a set of inputs. A changed input gives another name, and so a new build.
hash_of() { printf '%s\n' "$@" | sha256sum | cut -c1-16; }

# up_to_date STAMP HASH, stamp STAMP HASH: whether the work that STAMP stands for was done for these inputs.
up_to_date() { [[ -f $1 && $(<"$1") == "$2" ]]; }
stamp() { printf '%s\n' "$2" >"$1.new" && mv "$1.new" "$1"; }

# locked NAME FUNCTION…: runs it while no other tools/setup does anything under the same NAME.
locked() {
  local name=$1
  shift
  exec 9>"$cache/lock-$name"
  flock -n 9 || { say "another tools/setup is at work: waiting for it"; flock 9; }
  "$@"
  exec 9>&-
}
