#!/bin/bash
# Runs cmocka programs, as many at a time as there are cores, and prints a line for each in the order given; of one that fails,
# what it printed. The last line counts tests; a program that ends badly without a failed test counts as one. Skipped ones are
# counted apart, with the reasons that they print as "# skipped: why". With FULL, what still runs shows its last line each minute.
# usage: OUT=folder [FULL=...] test.sh PROGRAM...
set -u
cores=$(nproc)
passed=0 failed=0 skipped=0

# Logs, statuses and seconds of programs: $results/NAME.{log,status,seconds}
results=$OUT/test/results
rm -rf "$results"
mkdir -p "$results"

run() { # PROGRAM
  local name=${1##*/} start=$SECONDS
  CMOCKA_MESSAGE_OUTPUT=TAP "$1" > "$results/$name.log" 2>&1 < /dev/null
  local status=$?
  echo $((SECONDS - start)) > "$results/$name.seconds"
  echo $status > "$results/$name.status"
}

# Sets ok, not_ok and skip. cmocka writes "not ok 3 # SKIP name" of a skipped test; what a failed test shows may begin with "ok" too.
count() { # LOG
  skip=$(grep -cE '^(not )?ok [0-9]+.* # SKIP' "$1")
  ok=$(grep -E '^ok [0-9]' "$1" | grep -cv '# SKIP')
  not_ok=$(grep -E '^not ok [0-9]' "$1" | grep -cv '# SKIP')
}

report() { # NAME
  local log=$results/$1.log ok not_ok skip status mark=ok
  count "$log"
  status=$(cat "$results/$1.status")
  if ((status != 0 && not_ok == 0)); then not_ok=1; fi
  if ((not_ok)); then mark=FAIL; fi
  passed=$((passed + ok)) failed=$((failed + not_ok)) skipped=$((skipped + skip))
  printf '%-4s  %-28s %4d passed %3d failed %3d skipped %4d s\n' $mark "$1" "$ok" "$not_ok" "$skip" "$(cat "$results/$1.seconds")"
  if ((not_ok)); then
    sed 's/^/      /' "$log"
    echo "      (ended with status $status)"
  elif ((skip)); then
    grep '^# skipped: ' "$log" | sed 's/^# /      /'
  fi
}

# Reports the programs that are done and whose turn it is.
report_done() {
  while ((reported < ${#names[@]})) && [ -e "$results/${names[reported]}.status" ]; do
    report "${names[reported]}"
    reported=$((reported + 1))
  done
}

show_progress() {
  while sleep 60 > /dev/null 2>&1; do
    for name in "${names[@]}"; do
      [ ! -e "$results/$name.log" ] || [ -e "$results/$name.status" ] || echo "...   $name: $(tail -n 1 "$results/$name.log")"
    done
  done
}

names=("${@##*/}")
reported=0
running=0
follower=
if [ -n "${FULL-}" ]; then
  show_progress &
  follower=$!
fi
for program in "$@"; do
  if ((running >= cores)); then
    wait -n
    running=$((running - 1))
  fi
  report_done
  run "$program" &
  running=$((running + 1))
done
while ((running > 0)); do
  wait -n
  running=$((running - 1))
  report_done
done
[ -z "$follower" ] || kill "$follower"
echo "$passed passed, $failed failed$( ((skipped == 0)) || echo ", $skipped skipped")"
((failed == 0 && passed > 0))
