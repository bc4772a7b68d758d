#!/usr/bin/env bash
# Get the phones of the interop table where the user may. What is missing afterwards is named, and left out of
# the table. pjsua2 has a virtual environment of its own, because it is under the GPL and no part of the project.
set -u
cd "$(dirname "$0")/../.."
into=var/interop
mkdir -p "$into"

declare -A package=([baresip]=baresip-core [sipp]=sip-tester [linphonec]=linphone-cli [chromium]=chromium [node]=nodejs [npm]=npm)
packages=()
for command in baresip sipp linphonec chromium node npm; do
  command -v "$command" >/dev/null 2>&1 || packages+=("${package[$command]}")
done
if [ ${#packages[@]} -gt 0 ] && command -v apt-get >/dev/null 2>&1; then
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
  if [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1; then
    echo "installing ${packages[*]}"
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=120 update -q >/dev/null || true
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=120 install -y -q \
      --no-install-recommends "${packages[@]}" >/dev/null || true
  fi
fi

if [ ! -x "$into/pjsua2/bin/python" ] || ! "$into/pjsua2/bin/python" -c 'import pjsua2' 2>/dev/null; then
  echo "installing pjsua2-python into $into/pjsua2"
  { "${PYTHON:-python3}" -m venv "$into/pjsua2" &&
    "$into/pjsua2/bin/python" -m pip install --quiet --disable-pip-version-check 'pjsua2-python==2.15.1.post1'; } ||
    echo "pjsua2-python could not be installed"
fi

if [ ! -e "$into/browser/jssip.js" ] || [ tests/interop/browser/package-lock.json -nt "$into/browser/jssip.js" ]; then
  if command -v npm >/dev/null 2>&1; then
    echo "installing JsSIP into $into/browser"
    mkdir -p "$into/browser"
    cp tests/interop/browser/package.json tests/interop/browser/package-lock.json "$into/browser/"
    (cd "$into/browser" && npm ci --ignore-scripts --silent &&
      npx --no-install esbuild jssip --bundle --format=iife --global-name=JsSIP --log-level=warning \
        --outfile=jssip.js) || echo "JsSIP could not be installed"
  fi
fi
exit 0
