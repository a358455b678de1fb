# What `tools/setup image` adds for the linux/arm64 half of the image: a sysroot, and qemu-user for the tests.
#
# Debian's arm64 -dev packages, unpacked beside the system (installing some of them evicts their amd64 twins), with
# curl and prometheus-cpp built into /opt/spotkeeper of it as libraries.sh builds them for this machine. apt checks
# signatures and sums as ever; its state is a folder of ours, and the machine's configuration is only read.
#
# Which versions, and which sum each package has, is pinned in arm64.packages. Debian keeps the newest of each suite
# only: when a pinned one is gone, `tools/setup image` says so, and `tools/setup pins` writes what there is today.
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

readonly pins=$root/tools/setup.d/arm64.packages # a line each: package, version, sha256

# pins_gone: those that Debian has no more, in words.
pins_gone() {
  local package version _ now
  while read -r package version _; do
    now=$(arm64_apt apt-cache madison "$package" | cut -d'|' -f2 | tr -d ' ')
    grep -qxF -- "$version" <<<"$now" || printf '%s %s (there is: %s)\n' "$package" "$version" "$(head -1 <<<"$now")"
  done <"$pins"
}

# fetch_packages [pinned]: into $work/debs: the newest, or those.
fetch_packages() {
  local -a wanted=("${sysroot_packages[@]}")
  local gone
  mkdir -p "$work/debs"
  derive_arm64_lists
  logged arm64-lists arm64_apt apt-get update || fail "reading Debian's lists for arm64" "log in $cache/log/arm64-lists.log"
  if [[ ${1:-} == pinned ]]; then
    cmp -s <(cut -d' ' -f1 "$pins" | sort) <(printf '%s\n' "${wanted[@]}" | sort) ||
      fail "tools/setup.d/arm64.sh and arm64.packages do not name the same packages" "run 'tools/setup pins', and commit it"
    gone=$(pins_gone)
    [[ -z $gone ]] || fail "Debian has no more for arm64: ${gone//$'\n'/, }" \
      "run 'tools/setup pins', look at what it changes in tools/setup.d/arm64.packages, and commit it"
    mapfile -t wanted < <(sed 's/^\([^ ]*\) \([^ ]*\) .*/\1=\2/' "$pins")
  fi
  (cd "$work/debs" && logged arm64-packages arm64_apt apt-get download "${wanted[@]}") ||
    fail "downloading Debian's arm64 packages" "log in $cache/log/arm64-packages.log"
}

# packages_fetched: the lines that pin what is in $work/debs.
packages_fetched() {
  local deb
  for deb in "$work"/debs/*.deb; do
    printf '%s %s\n' "$(dpkg-deb --show --showformat '${Package} ${Version}' "$deb")" "$(sha256sum <"$deb" | cut -d' ' -f1)"
  done | LC_ALL=C sort
}

unpack_sysroot() {
  local package
  fetch_packages pinned
  packages_fetched | cmp -s - "$pins" || fail "an arm64 package has another sha256 than the one pinned in $pins, or none" \
    "$(packages_fetched | diff - "$pins" | sed -n 's/^< \([^ ]* [^ ]*\).*/\1/p' | paste -sd, -): do not use it; find out why"
  mkdir -p "$work/out"
  # Every file is new today, and not when Debian made it: else nothing is compiled or linked anew for another version.
  for package in "$work"/debs/*.deb; do dpkg-deb --fsys-tarfile "$package" | tar -x --touch -C "$work/out"; done
  cut -d' ' -f1,2 "$pins" >"$work/out/packages" # for the image's SBOM
}

# tools/setup pins: the newest versions, from now on.
renew_pins() {
  say "asking Debian for its newest arm64 packages"
  mkdir -p "$cache/sysroot-arm64"
  work=$(mktemp -d "$cache/sysroot-arm64/work.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  fetch_packages
  packages_fetched >"$work/pins"
  if cmp -s "$work/pins" "$pins"; then
    say "tools/setup.d/arm64.packages has them already"
  else
    diff -U0 "$pins" "$work/pins" | sed -n 's/^\([-+][a-z][^ ]* [^ ]*\) .*/\1/p' || true # diff says 1
    cp "$work/pins" "$pins"
  fi
  rm -rf "$work"
  trap - EXIT
}

# The half for this machine is linked with what is installed here. Where that is another version, somebody should know.
compare_halves() {
  local package version here _
  while read -r package version _; do
    here=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null) || continue
    [[ ${here%+b[0-9]*} == "${version%+b[0-9]*}" || $package == linux-libc-dev ]] ||
      say "note: $package is $here on this machine and $version for arm64: the image's halves differ in it;" \
        "'apt-get install $package' or 'tools/setup pins' brings the newer one"
  done <"$pins"
}

install_arm64() {
  local inputs out library
  inputs=$(hash_of "$(<"$root/tools/setup.d/arm64.sh")" "$(<"$root/tools/setup.d/libraries.sh")" "$(<"$root/cmake/arm64.cmake")" \
    "$(<"$pins")" "$(dpkg-query -W -f '${Version}\n' clang-19)")
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
  compare_halves
  [[ $(readlink "$cache/sysroot-arm64/current" || true) == "$inputs" ]] || ln -sfnT "$inputs" "$cache/sysroot-arm64/current"
}
