# Step 2: curl and prometheus-cpp, built minimal and static from Debian's source packages.
#
# Debian's own libcurl pulls in 40 shared libraries (LDAP, Kerberos, SSH …); our executable is fully static and
# speaks HTTP(S) only. The upstream version and the sha256 of its tarball are pinned here. The Debian revision is
# not: security fixes arrive as new revisions of the same upstream version, and the current one is what we want. (One
# that arrives later is taken when something else changes, or after `rm -r $SPOTKEEPER_CACHE/deps`.)
# shellcheck shell=bash

readonly curl_version=7.88.1
readonly curl_sha256=cdb38b72e36bc5d33d5b8810f8018ece1baa29a8f215b4495e495ded82bbf3c7
readonly prometheus_version=1.0.1
readonly prometheus_sha256=593e028d401d3298eada804d252bc38d8cab3ea1c9e88bcd72095281f85e6d16

readonly -a compile_flags=(
  -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19
  '-DCMAKE_C_FLAGS_RELEASE=-O2 -DNDEBUG' '-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG'
  -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF -DBUILD_TESTING=OFF
  -DCMAKE_INSTALL_LIBDIR=lib -Wno-dev
)
# HTTP and HTTPS, HTTP/2, gzip, proxies, Basic and Bearer. Nothing else, and no CA bundle by default: the caller names one.
readonly -a curl_flags=(
  -DBUILD_CURL_EXE=OFF -DENABLE_MANUAL=OFF -DHTTP_ONLY=ON
  -DCURL_USE_OPENSSL=ON -DENABLE_ARES=ON -DENABLE_THREADED_RESOLVER=OFF -DUSE_NGHTTP2=ON -DCURL_ZLIB=ON
  -DOPENSSL_USE_STATIC_LIBS=ON -DZLIB_USE_STATIC_LIBS=ON
  -DCURL_BROTLI=OFF -DCURL_ZSTD=OFF -DUSE_LIBIDN2=OFF -DCURL_USE_LIBPSL=OFF -DUSE_LIBRTMP=OFF
  -DCURL_USE_LIBSSH=OFF -DCURL_USE_LIBSSH2=OFF -DCURL_USE_GSSAPI=OFF
  -DCURL_DISABLE_LDAP=ON -DCURL_DISABLE_LDAPS=ON -DCURL_DISABLE_MQTT=ON
  -DCURL_DISABLE_ALTSVC=ON -DCURL_DISABLE_COOKIES=ON -DCURL_DISABLE_CRYPTO_AUTH=ON -DCURL_DISABLE_DOH=ON
  -DCURL_DISABLE_GETOPTIONS=ON -DCURL_DISABLE_HSTS=ON -DCURL_DISABLE_LIBCURL_OPTION=ON -DCURL_DISABLE_MIME=ON
  -DCURL_DISABLE_NETRC=ON -DCURL_DISABLE_NTLM=ON -DCURL_DISABLE_PROGRESS_METER=ON
  -DENABLE_UNIX_SOCKETS=OFF -DCURL_CA_BUNDLE=none -DCURL_CA_PATH=none -DCURL_CA_FALLBACK=OFF
)
readonly -a prometheus_flags=(
  -DENABLE_PULL=OFF -DENABLE_PUSH=OFF -DENABLE_COMPRESSION=OFF -DENABLE_TESTING=OFF
  -DUSE_THIRDPARTY_LIBRARIES=OFF -DGENERATE_PKGCONFIG=OFF
)

# apt with its own source list and state, so that the machine's configuration is read but never altered.
private_apt() {
  local tool=$1 state=$work/apt
  shift
  "$tool" -o Dir::Etc::sourcelist="$state/none" -o Dir::Etc::sourceparts="$state/sources" -o Dir::State="$state" \
    -o Dir::State::lists="$state/lists" -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$state/cache" \
    -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none "$@"
}

# The machine's own package sources, as sources of source packages.
derive_source_lists() {
  local into=$work/apt/sources file
  mkdir -p "$into" "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -f $file ]] || continue
    sed -n -E 's/^deb([[:space:]])/deb-src\1/p' "$file" >"$into/$(basename "$file" .list).list"
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    [[ -f $file ]] && sed -E 's/^(Types:).*/\1 deb-src/I' "$file" >"$into/$(basename "$file")"
  done
  return 0
}

# fetch_source PACKAGE UPSTREAM-VERSION SHA256: unpacks the current Debian revision into $work/PACKAGE, patches applied.
fetch_source() {
  local package=$1 upstream=$2 sha256=$3 version revision='' tarball
  while read -r version; do
    [[ ${version#*:} == "$upstream"-* ]] || continue
    if [[ -z $revision ]] || dpkg --compare-versions "$version" gt "$revision"; then revision=$version; fi
  done < <(private_apt apt-cache showsrc --only-source "$package" 2>/dev/null | sed -n 's/^Version: //p')
  [[ -n $revision ]] || fail "no source package $package $upstream" "the machine's apt sources must be Debian 12's"
  mkdir -p "$work/download"
  (cd "$work/download" && logged "source-$package" private_apt apt-get source --download-only --only-source "$package=$revision") ||
    fail "fetching the source of $package $revision" "log in $cache/log/source-$package.log"
  tarball=$(find "$work/download" -name "${package}_$upstream.orig.tar.?z*" ! -name '*.asc')
  [[ $(sha256sum "$tarball" | cut -d' ' -f1) == "$sha256" ]] ||
    fail "$(basename "$tarball") has another sha256 than the one pinned in tools/setup.d/libraries.sh" "do not use it; find out why"
  logged "unpack-$package" dpkg-source -x "$work/download/${package}_${revision#*:}.dsc" "$work/$package" ||
    fail "unpacking $package $revision" "log in $cache/log/unpack-$package.log"
  say "  $package $revision"
}

# build_library PACKAGE FLAG…: compiles $work/PACKAGE into $work/out. The folder's name, which is random, must not be in it.
build_library() {
  local package=$1
  shift
  logged "build-$package" cmake -S "$work/$package" -B "$work/build-$package" \
    "${compile_flags[@]}" -DCMAKE_INSTALL_PREFIX="$work/out" \
    -DCMAKE_C_FLAGS="-ffile-prefix-map=$work/=" -DCMAKE_CXX_FLAGS="-ffile-prefix-map=$work/=" "$@" &&
    logged "build-$package" cmake --build "$work/build-$package" --target install ||
    fail "building $package" "log in $cache/log/build-$package.log"
  install -D -m 644 "$work/$package/debian/copyright" "$work/out/share/doc/$package/copyright" # for the image
}

# A program that needs all of them at once, linked the way ours is.
check_libraries() {
  cat >"$work/check.cc" <<'CC'
#include <curl/curl.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <cstdio>
#include <cstring>
int main() {
  const auto* info = curl_version_info(CURLVERSION_NOW);
  prometheus::Registry registry;
  prometheus::BuildCounter().Name("n").Register(registry).Add({}).Increment();
  const bool metrics = prometheus::TextSerializer().Serialize(registry.Collect()).find("n 1") != std::string::npos;
  const int wanted = CURL_VERSION_SSL | CURL_VERSION_LIBZ | CURL_VERSION_HTTP2 | CURL_VERSION_ASYNCHDNS;
  for (const char* const* p = info->protocols; *p; ++p)
    if (std::strcmp(*p, "http") != 0 && std::strcmp(*p, "https") != 0) return std::printf("protocol %s\n", *p), 1;
  CURL* easy = curl_easy_init();
  std::printf("%s, %s, c-ares %s, nghttp2 %s\n", info->version, info->ssl_version, info->ares, info->nghttp2_version);
  return easy && metrics && (info->features & wanted) == wanted ? 0 : 1;
}
CC
  { logged check-libraries clang++-19 -std=c++20 -O1 -static-pie -fuse-ld=lld-19 -I"$work/out/include" "$work/check.cc" \
    -o "$work/check" -L"$work/out/lib" -lcurl -lprometheus-cpp-core -lnghttp2 -lcares -lssl -lcrypto -lz &&
    ! ldd "$work/check" 2>/dev/null | grep -q '=>' && logged check-libraries "$work/check"; } ||
    fail "a static program with the new libraries does not work" "log in $cache/log/check-libraries.log"
}

install_libraries() {
  local inputs out
  inputs=$(hash_of "$(<"$root/tools/setup.d/libraries.sh")" "$(dpkg-query -W -f '${Package} ${Version}\n' \
    clang-19 libssl-dev libc-ares-dev libnghttp2-dev zlib1g-dev)")
  out=$cache/deps/$inputs
  if [[ ! -d $out ]]; then
    say "building static curl $curl_version and prometheus-cpp $prometheus_version, about a minute"
    mkdir -p "$cache/deps"
    rm -rf "$cache"/deps/work.* # of a run that was killed
    work=$(mktemp -d "$cache/deps/work.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    derive_source_lists
    logged source-lists private_apt apt-get update || fail "reading Debian's source lists" "log in $cache/log/source-lists.log"
    fetch_source curl "$curl_version" "$curl_sha256"
    fetch_source prometheus-cpp "$prometheus_version" "$prometheus_sha256"
    build_library curl "${curl_flags[@]}"
    build_library prometheus-cpp "${prometheus_flags[@]}"
    check_libraries
    mv -T "$work/out" "$out"
    rm -rf "$work"
    trap - EXIT
  fi
  [[ $(readlink "$cache/deps/current" || true) == "$inputs" ]] || ln -sfnT "$inputs" "$cache/deps/current"
}
