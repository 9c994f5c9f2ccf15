#!/bin/sh
# test_bad_input.sh - what people and disks get wrong: a one-line reason, the documented exit code, nothing
# lost, no crash.
. "$CENOTE_SOURCE/tools/tap.sh"

# fails NAME CODE WORD COMMAND...: the command ends with CODE and one line on stderr that has WORD in it.
fails() {
    name=$1 code=$2 word=$3
    shift 3
    "$@" >"$TMPDIR/stdout" 2>"$TMPDIR/stderr" </dev/null
    status=$?
    lines=$(wc -l <"$TMPDIR/stderr")
    if [ "$status" = "$code" ] && [ "$lines" = 1 ] && grep -q -- "$word" "$TMPDIR/stderr"; then
        same "$name" ok ok
    else
        same "$name" "exit $code, one line with '$word'" "exit $status, $lines lines: $(cat "$TMPDIR/stderr")"
    fi
}

run="$TMPDIR/run"
small="--data glyphs --limit 512 --epochs 1 --quiet"
"$CENOTE" train lenet $small --out "$run" >/dev/null
same "a good run, to be damaged" 0 $?

# ---- what is asked for --------------------------------------------------------------------------------------
fails "unknown command" 2 "train" "$CENOTE" trian
fails "unknown model" 66 "lenet" "$CENOTE" train lenett
fails "unknown data set" 66 "glyphs" "$CENOTE" train lenet --data glyph --out "$TMPDIR/x"
fails "data of another kind" 2 "linear" "$CENOTE" train lenet --data linear --out "$TMPDIR/x"
fails "unknown option" 2 "epochs" "$CENOTE" train lenet --epoch 1
fails "an option without value" 2 "epochs" "$CENOTE" train lenet --epochs
fails "text for a number" 2 "many" "$CENOTE" train lenet --epochs many
fails "negative epochs" 2 "epochs" "$CENOTE" train lenet --epochs=-3
fails "batch of 0" 2 "batch" "$CENOTE" train lenet --batch 0
fails "negative learning rate" 2 "lr" "$CENOTE" train lenet --lr=-0.1
fails "unknown optimiser" 66 "AdamW" "$CENOTE" train lenet $small --optim sgdd --out "$TMPDIR/x"
fails "unknown schedule" 66 "CosineAnnealingLR" "$CENOTE" train lenet $small --schedule linear --out "$TMPDIR/x"
fails "no model" 2 "which model" "$CENOTE" train
fails "an index that the data do not have" 2 "index" "$CENOTE" predict "$run" --index 99999999
fails "an index list that is none" 2 "index" "$CENOTE" predict "$run" --index 1,,2

# ---- texts --------------------------------------------------------------------------------------------------
text="$TMPDIR/language"
"$CENOTE" train rnnlm --data story --limit 1000 --epochs 1 --quiet --out "$text" >/dev/null
same "a language model, to be asked" 0 $?
fails "a temperature that is no number" 2 "temperature" "$CENOTE" generate "$text" --temperature nan
fails "a temperature without end" 2 "temperature" "$CENOTE" generate "$text" --temperature inf
fails "a negative temperature" 2 "temperature" "$CENOTE" generate "$text" --temperature=-1
fails "a probability above 1" 2 "top-p" "$CENOTE" generate "$text" --top-p 1.5
fails "no characters" 2 "length" "$CENOTE" generate "$text" --length 0
fails "a prefix that was never seen" 2 "character 5, '7'" "$CENOTE" generate "$text" --prefix "time7"
fails "a prefix that is no text" 65 "UTF-8" "$CENOTE" generate "$text" --prefix "$(printf 'a\377')"
fails "a prefix of line ends" 2 "prefix" "$CENOTE" generate "$text" --prefix "
"
fails "weights that are not there" 66 "nothing" "$CENOTE" generate --model rnnlm --weights "$TMPDIR/nothing" --vocab "$text/vocab.txt"
mv "$text/vocab.txt" "$TMPDIR/vocab"
fails "a vocabulary that is missing" 66 "vocab.txt" "$CENOTE" generate "$text"
printf 'a\nb\n' >"$text/vocab.txt"
fails "a vocabulary that is none" 65 "vocab.txt" "$CENOTE" generate "$text"
printf '<unk>\na\n' >"$text/vocab.txt"
fails "a vocabulary of another network" 65 "weight" "$CENOTE" generate "$text"
printf '<unk>\n' >"$text/vocab.txt"
fails "a vocabulary without tokens" 65 "" "$CENOTE" generate "$text"
fails "a text that has no name" 66 "timemachine" "$CENOTE" train gru --data fashion-mnist --out "$TMPDIR/x"
fails "a text that is missing" 66 "missing.txt" "$CENOTE" train gru --data ./missing.txt --out "$TMPDIR/x"
: >"$TMPDIR/empty.txt"
fails "a text that is empty" 2 "too short" "$CENOTE" train gru --data "$TMPDIR/empty.txt" --out "$TMPDIR/x"
printf 'ab\377' >"$TMPDIR/binary.txt"
fails "a text that is none" 65 "UTF-8" "$CENOTE" train gru --data "$TMPDIR/binary.txt" --out "$TMPDIR/x"
fails "a text for pictures" 66 "story" "$CENOTE" train lenet --data story --out "$TMPDIR/x"

# ---- translations ---------------------------------------------------------------------------------------------
sentences="$TMPDIR/numbers"
"$CENOTE" train seq2seq --data numbers --limit 200 --epochs 1 --quiet --out "$sentences" >/dev/null
same "a network that translates, to be asked" 0 $?
fails "translate: no folder" 2 "DIR" "$CENOTE" translate
fails "translate: a folder that is none" 66 "config.json" "$CENOTE" translate "$TMPDIR/nothing" one
fails "translate: the folder of a classifier" 2 "lenet does not translate" "$CENOTE" translate "$run" one
fails "translate: a language model" 2 "rnnlm does not translate" "$CENOTE" translate "$text" one
fails "no beams" 2 "beam" "$CENOTE" translate "$sentences" one --beam 0
fails "a translation of no words" 2 "length" "$CENOTE" translate "$sentences" one --length 0
fails "a translation without end" 2 "length" "$CENOTE" translate "$sentences" one --length 99999999999
fails "an alpha that is no number" 2 "alpha" "$CENOTE" translate "$sentences" one --alpha nan
fails "one reference for two sentences" 2 "reference" "$CENOTE" translate "$sentences" one two --reference un
fails "a sentence that is no text" 65 "UTF-8" "$CENOTE" translate "$sentences" "$(printf 'a\377')"
for words in vocab.txt vocab-target.txt; do
    mv "$sentences/$words" "$TMPDIR/vocab"
    fails "$words is missing" 66 "$words" "$CENOTE" translate "$sentences" one
    printf 'a\nb\n' >"$sentences/$words"
    fails "$words is none" 65 "$words" "$CENOTE" translate "$sentences" one
    printf '<unk>\na\n' >"$sentences/$words"
    fails "$words of another network" 65 "weight" "$CENOTE" translate "$sentences" one
    mv "$TMPDIR/vocab" "$sentences/$words"
done
check "put back, it translates" "$CENOTE" translate "$sentences" one
fails "pairs that are missing" 66 "missing.txt" "$CENOTE" train seq2seq --data ./missing.txt --out "$TMPDIR/x"
printf 'one\ntwo\n' >"$TMPDIR/unpaired.txt"
fails "lines without a translation" 65 "line 1" "$CENOTE" train seq2seq --data "$TMPDIR/unpaired.txt" --out "$TMPDIR/x"

# ---- folders and disks ----------------------------------------------------------------------------------------
fails "a run folder that is none" 66 "config.json" "$CENOTE" eval "$TMPDIR/nothing"
fails "a run folder below a file" 74 "folder" "$CENOTE" train lenet $small --out "$run/config.json/x"
fails "a run folder that cannot be made" 74 "/proc" "$CENOTE" train lenet $small --out /proc/cenote
"$CENOTE" plot "$run" --out "$TMPDIR/curves.png" >/dev/null 2>&1 &&
    fails "a picture of an unknown kind" 2 "gif" "$CENOTE" plot "$run" --out "$TMPDIR/curves.gif"
same "a full disk behind stdout" 74 "$("$CENOTE" list >/dev/full 2>/dev/null; echo $?)"

# A file size limit stands for a full disk: the checkpoint that was there stays whole.
cp -r "$run" "$TMPDIR/full"
before=$(cksum <"$TMPDIR/full/checkpoints/last.safetensors")
(ulimit -f 64; "$CENOTE" train --resume "$TMPDIR/full" --epochs 2 --quiet >/dev/null 2>"$TMPDIR/stderr")
same "a disk that fills up is exit code 74" 74 $?
same "and the old checkpoint stays whole" "$before" "$(cksum <"$TMPDIR/full/checkpoints/last.safetensors")"

# ---- numbers ------------------------------------------------------------------------------------------------------
fails "a loss that is not a number" 1 "diverged" \
    "$CENOTE" train linreg --lr 1000 --quiet --out "$TMPDIR/nan"
check "and the run folder keeps a checkpoint" test -f "$TMPDIR/nan/checkpoints/last.safetensors"

# ---- damaged files ----------------------------------------------------------------------------------------------
damaged() { # NAME FILE COMMAND...: truncated, emptied, with a flipped bit, missing
    what=$1 file=$2
    shift 2
    cp "$file" "$TMPDIR/keep"
    size=$(wc -c <"$file")
    head -c $((size / 2)) "$TMPDIR/keep" >"$file"
    fails "$what cut in half" 65 "$(basename "$file")" "$@"
    : >"$file"
    fails "$what emptied" 65 "$(basename "$file")" "$@"
    { printf '\377'; tail -c +2 "$TMPDIR/keep"; } >"$file"
    fails "$what with another first byte" 65 "$(basename "$file")" "$@"
    rm "$file"
    "$@" >/dev/null 2>"$TMPDIR/stderr"
    same "$what missing" 66 $?
    cp "$TMPDIR/keep" "$file"
}
damaged "model" "$run/model.safetensors" "$CENOTE" eval "$run"
damaged "configuration" "$run/config.json" "$CENOTE" eval "$run"
cp "$run/checkpoints/last.safetensors" "$TMPDIR/keep"
head -c 1000 "$TMPDIR/keep" >"$run/checkpoints/last.safetensors"
fails "checkpoint cut" 65 "last.safetensors" "$CENOTE" train --resume "$run" --epochs 2 --quiet
cp "$TMPDIR/keep" "$run/checkpoints/last.safetensors"
check "put back, the run goes on" "$CENOTE" train --resume "$run" --epochs 2 --quiet

printf '\223NUMPY\001\000\166\000{' >"$TMPDIR/bad.npy"
fails "a NumPy file cut in its header" 65 "bad.npy" "$CENOTE" inspect "$TMPDIR/bad.npy"
printf '\000\000\010\003\377\377\377\377\377\377\377\377\377\377\377\377' >"$TMPDIR/bad.idx"
fails "an IDX file that claims the universe" 65 "bad.idx" "$CENOTE" inspect "$TMPDIR/bad.idx"
printf 'hello' >"$TMPDIR/text.bin"
fails "a file of no known kind" 65 "text.bin" "$CENOTE" inspect "$TMPDIR/text.bin"

# ---- ops ------------------------------------------------------------------------------------------------------------
fails "shapes that do not multiply" 2 "inner sizes" "$CENOTE" op matmul "[[1.0,2.0]]" "[[1.0,2.0]]"
fails "an unknown op" 66 "matmull" "$CENOTE" op matmull "[1.0]" "[1.0]"
fails "an unknown argument" 2 "dims" "$CENOTE" op sum "[1.0]" dims=0

tap_end
