# Step 6: AWS's test vectors for Signature v4, which AWS's crate aws-sigv4 carries (Apache-2.0). Read by
# src/aws/signature_test.cc; never committed.
# shellcheck shell=bash

readonly sigv4_version=1.6.4
readonly sigv4_sha256=f385da9b7757ed4c8214797ad663ff534fb622006143530aa80e21f8e06ff85c

install_vectors() {
  local into=$cache/vectors/sigv4 url=https://static.crates.io/crates/aws-sigv4/aws-sigv4-$sigv4_version.crate work
  [[ -d $into/v4 ]] && up_to_date "$cache/vectors/.sigv4.stamp" "$sigv4_sha256" && return 0
  say "fetching AWS's signature vectors"
  mkdir -p "$cache/vectors"
  work=$(mktemp -d "$cache/vectors/new.XXXXXX")
  logged vectors curl --proto '=https' --retry 3 --connect-timeout 20 --max-time 120 -fsSL -o "$work/crate" "$url" ||
    fail "fetching aws-sigv4 $sigv4_version" "check the network; log in $cache/log/vectors.log"
  sha256sum --check --quiet <<<"$sigv4_sha256  $work/crate" ||
    fail "aws-sigv4 $sigv4_version is not what it was" "its sha256 is pinned in tools/setup.d/vectors.sh"
  tar -xzf "$work/crate" -C "$work" --strip-components=1 "aws-sigv4-$sigv4_version/aws-signing-test-suite"
  rm -rf "$into"
  mv "$work/aws-signing-test-suite" "$into"
  rm -rf "$work"
  stamp "$cache/vectors/.sigv4.stamp" "$sigv4_sha256"
}
