# shellcheck shell=bash
# Builds the distribution from the sources beside it. Needs common.sh.

# outdated APP: is there no distribution, or is a source newer than it?
outdated() {
  local built=$1/server/target/dist/built
  [ ! -e "$built" ] || [ -n "$(find "$1/pom.xml" "$1/server/pom.xml" "$1/server/src/main" -newer "$built")" ]
}

# build APP
build() {
  local target=$1/server/target
  local log=$target/build.log
  outdated "$1" || return 0
  need_maven
  mkdir -p "$target"
  lock "$target/build.lock"
  if outdated "$1"; then
    echo "Building ducklake-flight (once)…" >&2
    if ! (cd "$1" && mvn -q -B -Dstyle.color=never -Dmaven.test.skip=true package) </dev/null >"$log" 2>&1; then
      tail -n 30 "$log" >&2
      fail 70 "the build failed; all of its output is in $log"
    fi
  fi
  unlock
}

need_maven() {
  command -v mvn >/dev/null ||
    fail 78 "Maven 3.8.6 or newer is needed to build it: install it (the package is called maven) and put mvn on the PATH"
}
