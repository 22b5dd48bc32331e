# shellcheck shell=bash
# What the launcher and the tests share.

# fail CODE SENTENCE
fail() {
  echo "ducklake-flight: $2" >&2
  exit "$1"
}

# Where DuckDB's extensions are, for those who bring none with the program.
user_extensions() {
  echo "${XDG_CACHE_HOME:-${HOME:-$(cd ~ && pwd)}/.cache}/ducklake-flight/extensions"
}

# is_jdk HOME TOOL: is HOME a Java 25 that has bin/TOOL? Sets jdk_version.
is_jdk() {
  [ -x "$1/bin/$2" ] && [ -r "$1/release" ] || return 1
  jdk_version=
  local key value
  while IFS='=' read -r key value; do
    if [ "$key" = JAVA_VERSION ]; then
      jdk_version=${value//[$'"\r']/}
    fi
  done <"$1/release"
  case $jdk_version in
    25 | 25.* | 25-*) return 0 ;;
    *) return 1 ;;
  esac
}

# resolved FILE: the file that a chain of symbolic links ends at
resolved() {
  local file=$1 link
  while [ -L "$file" ]; do
    link=$(readlink "$file")
    case $link in
      /*) file=$link ;;
      *) file=$(dirname "$file")/$link ;;
    esac
  done
  echo "$file"
}

# find_jdk TOOL: sets JAVA_HOME and jdk_version to a Java 25 that has bin/TOOL. Starts none to ask for its
# version: a virtual machine takes longer than all the rest.
find_jdk() {
  if is_jdk "${JAVA_HOME:-}" "$1"; then
    export JAVA_HOME
    return
  fi
  local java home
  java=$(resolved "$(command -v java || true)")
  for home in "${java%/bin/java}" /usr/lib/jvm/* /opt/java/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home ~/.sdkman/candidates/java/* ~/.jdks/*; do
    if is_jdk "$home" "$1"; then
      export JAVA_HOME=$home
      return
    fi
  done
  fail 78 "a JDK 25 is needed and none was found: install one, such as Temurin 25, and set JAVA_HOME to it"
}

# lock FILE: one process at a time from here on, until unlock
lock() {
  if command -v flock >/dev/null; then
    exec 9>"$1"
    flock 9
    return
  fi
  # macOS has no flock. Nothing that is done under a lock takes this many minutes.
  until mkdir "$1.d" 2>/dev/null; do
    find "$1.d" -prune -mmin +15 -exec rmdir {} + 2>/dev/null || true
    sleep 1
  done
  locked=$1.d
  trap 'rmdir "$locked"' EXIT
}

unlock() {
  if command -v flock >/dev/null; then
    exec 9>&-
    return
  fi
  trap - EXIT
  rmdir "$locked"
}
