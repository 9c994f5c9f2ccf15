#!/bin/sh
# test_resume.sh - a run that is killed, however often, ends with the bits of one that was not.
. "$CENOTE_SOURCE/tools/tap.sh"

train() { # DIR
    "$CENOTE" train lenet --data glyphs --limit 2048 --epochs 4 --seed 3 --threads 2 --checkpoint-steps 2 --quiet --out "$1" >/dev/null
}

train "$TMPDIR/whole"
same "a run finishes" 0 $?

train "$TMPDIR/again"
check "the same seed gives the same bits" cmp -s "$TMPDIR/whole/model.safetensors" "$TMPDIR/again/model.safetensors"

# Kills the run at three moments; each time it goes on from its last checkpoint.
killed=0
train "$TMPDIR/killed" &
pid=$!
for pause in 0.35 0.2 0.3; do
    sleep $pause
    kill -9 $pid 2>/dev/null && killed=$((killed + 1))
    pkill -9 -f "$TMPDIR/killed" 2>/dev/null
    wait $pid 2>/dev/null
    if [ -f "$TMPDIR/killed/config.json" ]; then
        "$CENOTE" train --resume "$TMPDIR/killed" --threads 2 --quiet >/dev/null 2>&1 &
    else
        train "$TMPDIR/killed" &
    fi
    pid=$!
done
wait $pid
same "the last resumed run finishes" 0 $?
check "killed and resumed, it ends with the same bits" cmp -s "$TMPDIR/whole/model.safetensors" "$TMPDIR/killed/model.safetensors"
same "metrics have one line per epoch" 4 "$(grep -c '"ev":"epoch"' "$TMPDIR/killed/metrics.jsonl")"

# Ctrl-C finishes the step, saves and says how to go on.
train_interrupted() {
    "$CENOTE" train lenet --data glyphs --limit 2048 --epochs 4 --seed 3 --threads 2 --quiet --out "$TMPDIR/stopped" >/dev/null 2>"$TMPDIR/message"
}
train_interrupted &
pid=$!
tries=0
while [ ! -f "$TMPDIR/stopped/checkpoints/last.safetensors" ] && [ $tries -lt 600 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
pkill -INT -f "$TMPDIR/stopped"
wait $pid
same "SIGINT gives exit code 130" 130 $?
check "and says how to go on" grep -q -- "--resume" "$TMPDIR/message"
"$CENOTE" train --resume "$TMPDIR/stopped" --threads 2 --quiet >/dev/null
check "and resumed, it ends with the same bits" cmp -s "$TMPDIR/whole/model.safetensors" "$TMPDIR/stopped/model.safetensors"

tap_end
