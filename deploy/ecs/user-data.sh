#!/bin/bash
# User data of an ECS container instance (Amazon Linux 2023, ECS-optimized): joins its cluster, and runs
# spotkeeper as a systemd unit beside the ECS agent. Fill in the three lines; docs/ecs.md, Install.
set -euo pipefail

CLUSTER=CLUSTER
FROM=https://BUCKET.s3.REGION.amazonaws.com/spotkeeper # the executable and spotkeeper.service are there
SHA256=SHA256                                          # of the executable

mkdir -p /etc/ecs
cat >>/etc/ecs/ecs.config <<EOF
ECS_CLUSTER=$CLUSTER
EOF

# A host without spotkeeper is still a host of the cluster: nothing here keeps the ECS agent from starting.
fetch() {
  curl --fail --silent --show-error --retry 5 --retry-max-time 60 --max-time 30 --output "$1" "$FROM/${1##*/}"
}

install_spotkeeper() {
  local new
  new=$(mktemp -d)
  fetch "$new/spotkeeper" && fetch "$new/spotkeeper.service" &&
    echo "$SHA256  $new/spotkeeper" | sha256sum --check --quiet &&
    install -m 755 "$new/spotkeeper" /usr/local/bin/spotkeeper &&
    install -m 644 "$new/spotkeeper.service" /etc/systemd/system/spotkeeper.service &&
    systemctl daemon-reload &&
    systemctl enable --now spotkeeper
}
install_spotkeeper || echo "spotkeeper is not installed: this host is drained by nobody" >&2
