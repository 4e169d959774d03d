#!/bin/bash
# Runs cmocka programs, as many at a time as there are cores, and prints a line for each in the order given; of one that fails,
# what it printed. The last line counts tests; a program that ends badly without a failed test counts as one.
# usage: OUT=folder test.sh PROGRAM...
set -u
cores=$(nproc)
passed=0 failed=0

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

report() { # NAME
  local log=$results/$1.log ok not_ok status mark=ok
  ok=$(grep -c '^ok' "$log")
  not_ok=$(grep -c '^not ok' "$log")
  status=$(cat "$results/$1.status")
  if ((status != 0 && not_ok == 0)); then not_ok=1; fi
  if ((not_ok)); then mark=FAIL; fi
  passed=$((passed + ok)) failed=$((failed + not_ok))
  printf '%-4s  %-28s %4d passed %3d failed %4d s\n' $mark "$1" "$ok" "$not_ok" "$(cat "$results/$1.seconds")"
  if ((not_ok)); then
    sed 's/^/      /' "$log"
    echo "      (ended with status $status)"
  fi
}

# Reports the programs that are done and whose turn it is.
report_done() {
  while ((reported < ${#names[@]})) && [ -e "$results/${names[reported]}.status" ]; do
    report "${names[reported]}"
    reported=$((reported + 1))
  done
}

names=("${@##*/}")
reported=0
running=0
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
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
