# shellcheck shell=bash
# The Python that the tests use, with the stand-ins for AWS's services. Needs common.sh; runs at the top of
# the sources.

venv=server/target/venv
python_tests=server/src/test/python

need_python() {
  local found
  found=$(command -v python3) || fail 78 'Python 3.11 or newer is needed for the tests: install python3'
  "$found" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail 78 "Python 3.11 or newer is needed for the tests, and $found is older: install a newer python3"
  "$found" -c 'import ensurepip, venv' 2>/dev/null ||
    fail 78 "$found cannot make a virtual environment: install its venv module (the package python3-venv)"
}

make_venv() {
  if [ "$venv/installed" -nt "$python_tests/requirements.txt" ]; then
    return
  fi
  rm -rf "$venv"
  mkdir -p server/target
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$python_tests/requirements.txt"
  touch "$venv/installed"
}
