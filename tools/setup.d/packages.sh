# Step 1: Debian packages. The one list of them.
# shellcheck shell=bash

# shellcheck disable=SC2034
build_packages=(
  # compiler, linker, lint, build
  clang-19 clang-tidy-19 clang-format-19 llvm-19 libclang-rt-19-dev lld-19 ccache
  cmake ninja-build make pkg-config binutils patch git
  # sources of curl and prometheus-cpp (see libraries.sh)
  dpkg-dev ca-certificates xz-utils
  # libraries, static and header-only
  libboost1.81-dev libboost-json1.81-dev libssl-dev libc-ares-dev libnghttp2-dev zlib1g-dev
  libyaml-cpp-dev libexpat1-dev libfmt-dev libgtest-dev libgmock-dev
)
# shellcheck disable=SC2034
test_packages=(python3 python3-venv openssl curl skopeo)

# missing_packages PACKAGE…: prints those that are missing.
missing_packages() {
  local known
  known=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' || true)
  local package
  for package; do grep -qxF -- "$package" <<<"$known" || echo "$package"; done
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  logged apt-update as_root apt-get update ||
    fail "apt-get update" "check the machine's apt sources and network; log in $cache/log/apt-update.log"
  logged apt-install as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}" ||
    fail "apt-get install ${missing[*]}" "this needs Debian 12 (bookworm); log in $cache/log/apt-install.log"
}
