# What `tools/setup image` adds for the linux/arm64 half of the image: a sysroot, and qemu-user for the tests.
#
# Debian's arm64 -dev packages, unpacked beside the system (installing some of them evicts their amd64 twins), with
# curl and prometheus-cpp built into /opt/spotkeeper of it as libraries.sh builds them for this machine. apt checks
# signatures and sums as ever; its state is a folder of ours, and the machine's configuration is only read.
# shellcheck shell=bash

# shellcheck disable=SC2034
image_packages=(qemu-user-static)
readonly -a sysroot_packages=(
  libc6-dev linux-libc-dev gcc-12-base libgcc-12-dev libstdc++-12-dev
  libboost1.81-dev libboost-json1.81-dev libboost-container1.81-dev libssl-dev libc-ares-dev libnghttp2-dev zlib1g-dev
  libyaml-cpp-dev libexpat1-dev libfmt-dev libgtest-dev libgmock-dev googletest
)

# private_apt of libraries.sh, for packages of the other architecture and as if nothing were installed.
arm64_apt() {
  private_apt "$1" -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State::status="$work/apt/status" "${@:2}"
}

# The machine's own Debian sources; others of its sources may have no arm64.
derive_arm64_lists() {
  local into=$work/apt/sources file
  mkdir -p "$into" "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
  : >"$work/apt/status"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    if [[ -f $file ]] && grep -q 'debian' "$file"; then cp "$file" "$into/"; fi
  done
  return 0
}

unpack_sysroot() {
  local package
  mkdir -p "$work/debs" "$work/out"
  derive_arm64_lists
  logged arm64-lists arm64_apt apt-get update || fail "reading Debian's lists for arm64" "log in $cache/log/arm64-lists.log"
  (cd "$work/debs" && logged arm64-packages arm64_apt apt-get download "${sysroot_packages[@]}") ||
    fail "downloading Debian's arm64 packages" "log in $cache/log/arm64-packages.log"
  for package in "$work"/debs/*.deb; do dpkg-deb --extract "$package" "$work/out"; done
  # What went into it, for the image's SBOM.
  for package in "$work"/debs/*.deb; do dpkg-deb --show --showformat '${Package} ${Version}\n' "$package"; done \
    >"$work/out/packages"
}

install_arm64() {
  local inputs out library
  inputs=$(hash_of "$(<"$root/tools/setup.d/arm64.sh")" "$(<"$root/tools/setup.d/libraries.sh")" "$(<"$root/cmake/arm64.cmake")" \
    "$(dpkg-query -W -f '${Package} ${Version}\n' clang-19 libc6-dev libssl-dev libc-ares-dev libnghttp2-dev zlib1g-dev libexpat1-dev)")
  out=$cache/sysroot-arm64/$inputs
  if [[ ! -d $out ]]; then
    say "unpacking Debian's arm64 libraries, building curl and prometheus-cpp for it, about two minutes"
    mkdir -p "$cache/sysroot-arm64"
    rm -rf "$cache"/sysroot-arm64/work.* # of a run that was killed
    work=$(mktemp -d "$cache/sysroot-arm64/work.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    unpack_sysroot
    local sysroot=$work/out
    rm -rf "$work/apt"
    derive_source_lists
    logged source-lists private_apt apt-get update || fail "reading Debian's source lists" "log in $cache/log/source-lists.log"
    fetch_source curl "$curl_version" "$curl_sha256"
    fetch_source prometheus-cpp "$prometheus_version" "$prometheus_sha256"
    for library in curl prometheus; do
      local -n flags=${library}_flags
      SPOTKEEPER_SYSROOT=$sysroot build_library "${library/prometheus/prometheus-cpp}" \
        "${flags[@]}" -DCMAKE_TOOLCHAIN_FILE="$root/cmake/arm64.cmake" -DCMAKE_INSTALL_PREFIX="$sysroot/opt/spotkeeper"
    done
    mv -T "$work/out" "$out"
    rm -rf "$work"
    trap - EXIT
  fi
  [[ $(readlink "$cache/sysroot-arm64/current" || true) == "$inputs" ]] || ln -sfnT "$inputs" "$cache/sysroot-arm64/current"
}
