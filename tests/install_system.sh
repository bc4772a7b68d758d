#!/usr/bin/env bash
# Install what the tests need of the system where it is missing and the user may; say what to do where not: make and
# Python with venv, SIPp and baresip, which are phones that nobody here wrote, OpenSSL's command, and SQLite's, which the
# README types.
set -u
missing=()
has_venv() { "${PYTHON:-python3}" -c 'import ensurepip, venv' >/dev/null 2>&1; }
look() {
  missing=()
  command -v make >/dev/null 2>&1 || missing+=(make)
  has_venv || missing+=(python3-venv)
  command -v sipp >/dev/null 2>&1 || missing+=(sip-tester)
  command -v baresip >/dev/null 2>&1 || missing+=(baresip-core)
  command -v openssl >/dev/null 2>&1 || missing+=(openssl)
  command -v sqlite3 >/dev/null 2>&1 || missing+=(sqlite3)
}

look
[ ${#missing[@]} -eq 0 ] && exit 0

if command -v apt-get >/dev/null 2>&1; then
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 && as_root=(sudo -n)
  fi
  if [ "$(id -u)" -eq 0 ] || [ ${#as_root[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -q >/dev/null || true
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
  fi
fi

look
if [ ${#missing[@]} -gt 0 ]; then
  echo "the tests need what Debian has in these packages: ${missing[*]}; install it and run make test again" >&2
  exit 1
fi
