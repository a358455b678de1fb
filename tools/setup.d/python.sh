# Step 3: the tests' Python packages, in a virtual environment of their own.
# shellcheck shell=bash

install_python_packages() {
  local venv=$cache/venv inputs
  inputs=$(hash_of "$(<"$root/test/requirements.txt")" "$(python3 --version)")
  up_to_date "$venv/.stamp" "$inputs" && return 0
  say "installing the tests' Python packages"
  rm -rf "$venv"
  logged venv python3 -m venv "$venv" || fail "python3 -m venv" "log in $cache/log/venv.log"
  logged pip "$venv/bin/pip" install --disable-pip-version-check --no-deps -r "$root/test/requirements.txt" ||
    fail "installing test/requirements.txt" "log in $cache/log/pip.log"
  logged pip-check "$venv/bin/pip" check ||
    fail "test/requirements.txt is not complete" "pin what is missing; log in $cache/log/pip-check.log"
  stamp "$venv/.stamp" "$inputs"
}
