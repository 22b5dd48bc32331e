# shellcheck shell=bash
# Makes the cache with which the virtual machine starts in half the time: the program's classes, as a
# run of the server left them. Its name has the build's: the virtual machine runs the classes of the cache, whatever
# the jars have become. Needs common.sh.
# shellcheck disable=SC2154 # the variables of the launcher

untrained() {
  [ ! -e "$cache" ] || [ "$dist/jvm.options" -nt "$cache" ]
}

# Makes the cache if there is none for this build. When it cannot be made, an empty file stands for
# it, and the program starts without.
train() {
  if [ ! -w "$dist" ] || ! untrained; then
    return
  fi
  lock "$dist/training.lock"
  if untrained; then
    echo "Preparing quick starts of ducklake-flight (once)…" >&2
    local lake
    lake=$(mktemp -d)
    rm -f "$dist"/classes-*.aot*
    # Without the environment: its settings are meant for the server that comes next.
    if env -i "LANG=${LANG:-}" "LC_ALL=${LC_ALL:-}" \
      "$JAVA_HOME/bin/java" "${options[@]}" "-XX:AOTCacheOutput=$cache.new" -jar "$jar" \
      serve --training "--local=$lake" --host 127.0.0.1 --port 0 \
      </dev/null >"$cache.log" 2>&1 && [ -s "$cache.new" ]; then
      mv "$cache.new" "$cache"
    else
      : >"$cache"
    fi
    rm -rf "$lake"
  fi
  unlock
}
