#!/usr/bin/env bash
# Makes .venv with uv in it, on whatever the machine has: Python with venv, Python with pip, or uv; as root on Debian
# it installs what is missing, else it says in one line what to install. Interrupted, it can be started again.
set -euo pipefail
cd "${BASH_SOURCE[0]%/*}"

fail() { echo "workshop: $1" >&2; exit 1; }

suits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local candidate
  for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python; do
    if suits "$candidate"; then echo "$candidate"; return; fi
  done
  fail "Python 3.11 or newer is needed, found $(python3 --version 2>/dev/null || echo none). Install it, or set PYTHON=/path/to/python3.11."
}

has() { "$python" -c "import $1" 2>/dev/null; }

as_root_on_debian() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

install_venv_package() {
  echo "Installing Debian's python3-venv …"
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -qq python3-venv >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; }
}

# Debian keeps pip as a wheel in a package of its own, which needs no root to be fetched and unpacked.
install_with_debian_pip() {
  local folder
  folder=$(mktemp -d)
  (cd "$folder" && apt-get download -qq python3-pip-whl && dpkg-deb -x python3-pip-whl_*.deb .) >/dev/null 2>&1 &&
    "$python" -m venv --clear --without-pip .venv &&
    "$python" "$(echo "$folder"/usr/share/python-wheels/pip-*.whl)/pip" --python .venv/bin/python install -q "$uv"
  local status=$?
  rm -r "$folder"
  return $status
}

make_venv() { # Debian's python3 comes without ensurepip: then pip or uv from elsewhere will do as well
  if ! has ensurepip && ! has pip && ! command -v uv >/dev/null && as_root_on_debian; then install_venv_package; fi
  if has ensurepip; then
    "$python" -m venv --clear .venv && .venv/bin/python -m pip install -q --disable-pip-version-check "$uv"
  elif has pip; then
    "$python" -m venv --clear --without-pip .venv && "$python" -m pip --python .venv/bin/python install -q --disable-pip-version-check "$uv"
  elif command -v uv >/dev/null; then
    uv venv -q --clear --python "$python" .venv && uv pip install -q --python .venv/bin/python "$uv"
  elif command -v apt-get >/dev/null && install_with_debian_pip; then
    return
  else
    fail "this Python has neither venv nor pip. Install one first: sudo apt-get install python3-venv"
  fi
}

uv="uv==${UV_VERSION:?}"
if [ -x .venv/bin/uv ] && suits .venv/bin/python; then exit 0; fi
python=$(find_python)
make_venv || fail "could not make .venv with $python; the lines above say why."
