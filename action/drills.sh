#!/usr/bin/env bash
# Step of action.yml: runs the drills. Its exit code is that of firedrill.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")

case $FIREDRILL_COMMAND in
  run | table) ;;
  *)
    echo "::error title=firedrill::command is $FIREDRILL_COMMAND: expected run or table"
    exit 2
    ;;
esac
reporters=$FIREDRILL_REPORTERS
# The reporter `github` writes the summary and the outputs of this step.
[[ ,$reporters, == *,github,* ]] || reporters=$reporters${reporters:+,}github
not_words() {
  echo "::error title=firedrill::$1 has a quote without its other one: expected words as in a shell, and no word over two lines"
  exit 2
}
# Words as a shell would split them, without expansion.
mapfile -t scenarios < <(xargs --no-run-if-empty printf '%s\n' <<<"$FIREDRILL_SCENARIOS")
wait "$!" || not_words scenarios
mapfile -t more < <(xargs --no-run-if-empty printf '%s\n' <<<"$FIREDRILL_ARGS")
wait "$!" || not_words args
[[ -z $FIREDRILL_TARGET ]] || more+=(--target "$FIREDRILL_TARGET")
exec bash "$here/firedrill.sh" "$FIREDRILL_COMMAND" "${scenarios[@]}" --out "$FIREDRILL_OUT" --reporter "$reporters" "${more[@]}"
