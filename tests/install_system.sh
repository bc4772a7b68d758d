#!/usr/bin/env bash
# Install SIPp, baresip and OpenSSL's command where they are missing and the user may; say what to do where not.
set -u
missing=()
command -v sipp >/dev/null 2>&1 || missing+=(sip-tester)
command -v baresip >/dev/null 2>&1 || missing+=(baresip-core)
command -v openssl >/dev/null 2>&1 || missing+=(openssl)
[ ${#missing[@]} -eq 0 ] && exit 0

if command -v apt-get >/dev/null 2>&1; then
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 && as_root=(sudo -n)
  fi
  if [ "$(id -u)" -eq 0 ] || [ ${#as_root[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -q >/dev/null || true
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
  fi
fi

for tool in sipp baresip openssl; do
  if ! command -v "$tool" >/dev/null 2>&1; then
    echo "the tests need $tool: install it (Debian: apt-get install sip-tester baresip-core openssl) and run make test again" >&2
    exit 1
  fi
done
