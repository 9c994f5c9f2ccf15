#!/bin/sh
# test_cli.sh - the frame of the program: commands, options, help, exit codes, standard output.
. tools/tap.sh

scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch" "$tap_output"' EXIT

# Leaves standard output in $scratch/out, standard error in $scratch/err and the status in $status.
cenote() {
    "$CENOTE" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
    status=$?
}

exits() { # STATUS ARGUMENT...
    wanted=$1
    shift
    cenote "$@"
    cat "$scratch/out" "$scratch/err"
    echo "exit status $status, expected $wanted"
    [ "$status" = "$wanted" ]
}

# The error is one line, begins with the program's name and says the text.
complains() { # STATUS TEXT ARGUMENT...
    wanted=$1 text=$2
    shift 2
    exits "$wanted" "$@" || return 1
    [ "$(wc -l <"$scratch/err")" = 1 ] && grep -q '^cenote: ' "$scratch/err" &&
        grep -qF -- "$text" "$scratch/err"
}

prints() { # TEXT ARGUMENT...
    text=$1
    shift
    exits 0 "$@" && grep -qF -- "$text" "$scratch/out"
}

commands=$("$CENOTE" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
same "there are commands" yes "$(for c in $commands; do echo yes; break; done)"

# ---- help -------------------------------------------------------------------------------------

check "--version" prints "cenote 0." --version
check "--help" prints "Commands:" --help
check "-h" prints "Commands:" -h
check "help" prints "Commands:" help
check "no command is a mistake" exits 2

for command in $commands; do
    check "help $command" prints "Usage: cenote $command" help "$command"
    check "$command --help" prints "--json" "$command" --help
    check "$command --help among others" prints "Usage: cenote $command" "$command" --threads x -h
    check "$command: an unknown option" complains 2 "there is no option --frobnicate" "$command" --frobnicate
done

narrow() {
    COLUMNS=60 "$CENOTE" help op >"$scratch/out" && ! sed '/^Examples/,$d' "$scratch/out" | grep -E '^.{61}'
}
check "help fits the terminal" narrow

# ---- mistakes ----------------------------------------------------------------------------------

check "an unknown command" complains 2 "did you mean 'doctor'?" docter
check "a command like no other" complains 2 "cenote --help" qqqqqqqq
train_two() { # OPTION...
    exits 0 train softmax --data glyphs --limit 64 --batch 32 --epochs 2 --quiet --out "$scratch/run" "$@"
}
for optim in sgd:nesterov=True,momentum=0.9 rmsprop:alpha=0.9,eps=1e-6 "Adagrad lr=0.01" lbfgs:history_size=5; do
    check "train --optim $optim" train_two --optim "$optim"
    rm -rf "$scratch/run"
done
for schedule in OneCycleLR:max_lr=0.1,total_steps=4 ReduceLROnPlateau:patience=0 "multisteplr milestones=(1,2)"; do
    check "train --schedule $schedule" train_two --schedule "$schedule"
    check "it is kept in the configuration" grep -qF "$schedule" "$scratch/run/config.json"
    rm -rf "$scratch/run"
done
check "train in mixed precision, accumulated, recomputed" train_two --amp bf16 --accumulate 2 --recompute --log-steps 1
check "lines per step" [ "$(grep -c '"ev":"step"' "$scratch/run/metrics.jsonl")" = 2 ]
check "it says how long it waited for data" grep -q '"data_wait":' "$scratch/run/metrics.jsonl"
check "train goes on with them" prints "test accuracy" train --resume "$scratch/run" --epochs 3 --quiet
rm -rf "$scratch/run"
check "train: no such type" complains 2 "bf16 and f16" train softmax --data glyphs --amp int8 --quiet --out "$scratch/run"
check "train --profile prints a table" train_two --profile "$scratch/trace.json"
check "with shares of the peak" grep -q '% of peak' "$scratch/out"
check "and writes a trace" grep -q '"ph":"X"' "$scratch/trace.json"
rm -rf "$scratch/run"
check "train --resize" exits 0 train lenet --resize 32 --data glyphs --limit 32 --batch 32 --epochs 1 --out "$scratch/run"
check "says so" grep -qF "1 x 28 x 28 become 1 x 32 x 32" "$scratch/err"
check "eval resizes, too" prints "accuracy" eval "$scratch/run" --limit 32
check "plot --filters" exits 0 plot "$scratch/run" --filters 0.weight
check "plot --features" exits 0 plot "$scratch/run" --features 1 --image 3
check "plot: no such parameter" complains 66 "no parameter" plot "$scratch/run" --filters nothing
check "plot: no such layer" complains 66 "there is no" plot "$scratch/run" --features 99
rm -rf "$scratch/run"
check "train a language model" prints "perplexity" train gru --data story --limit 2000 --epochs 2 --quiet --out "$scratch/run"
check "its vocabulary is in the run folder" [ "$(sed -n 1p "$scratch/run/vocab.txt")" = "<unk>" ]
check "eval of it" prints "perplexity" eval "$scratch/run"
check "it goes on" prints "perplexity" train --resume "$scratch/run" --epochs 3 --quiet
check "generate" prints "the time" generate "$scratch/run" --prefix "the time" --length 30 --top-k 5 --top-p 0.9
cp "$scratch/out" "$scratch/first"
check "generate the same again" prints "the time" generate "$scratch/run" --prefix "the time" --length 30 --top-k 5 --top-p 0.9
check "from the same seed" cmp -s "$scratch/first" "$scratch/out"
check "as long as wanted" [ "$(wc -c <"$scratch/out")" = 39 ]
check "generate with files, without a prefix" prints '"prefix":null' generate --model gru --weights "$scratch/run/model.safetensors" --vocab "$scratch/run/vocab.txt" --json
check "generate --temperature 0 knows no seed" exits 0 generate "$scratch/run" --temperature 0 --seed 1
cp "$scratch/out" "$scratch/first"
check "generate with another seed" exits 0 generate "$scratch/run" --temperature 0 --seed 2
check "is the same" cmp -s "$scratch/first" "$scratch/out"
check "generate: neither folder nor model" complains 2 "run folder" generate
check "generate: weights of another model" complains 65 "rnn.weight" generate --model lstm --weights "$scratch/run/model.safetensors" --vocab "$scratch/run/vocab.txt"
check "generate: no language model" complains 2 "no language model" generate --model lenet --weights x --vocab x
check "predict: a language model" complains 2 "generate" predict "$scratch/run"
rm -rf "$scratch/run"
check "train a network that translates" prints "on the pairs that follow" train seq2seq --data numbers --limit 200 --epochs 2 --quiet --out "$scratch/run"
check "the vocabularies of both languages are there" [ "$(sed -n 1p "$scratch/run/vocab.txt") $(sed -n 1p "$scratch/run/vocab-target.txt")" = "<unk> <unk>" ]
check "eval of it" prints "loss" eval "$scratch/run"
check "it goes on" prints "train loss" train --resume "$scratch/run" --epochs 3 --quiet
check "translate" exits 0 translate "$scratch/run" "eighty one" two
check "a line for each sentence" [ "$(wc -l <"$scratch/out")" = 2 ]
check "translate with beams, as JSON" prints '"schema":"cenote-translate"' translate "$scratch/run" "eighty one" --beam 3 --json
check "translate beside a reference" prints "BLEU" translate "$scratch/run" "eighty one" --reference "quatre vingt un"
check "translate words that it never saw" exits 0 translate "$scratch/run" "xyzzy plugh"
check "translate nothing, which is an empty sentence" exits 0 translate "$scratch/run" ""
check "translate an empty file" exits 0 translate "$scratch/run"
same "to nothing" 0 "$(wc -c <"$scratch/out" | tr -d ' ')"
check "no longer than wanted" prints "" translate "$scratch/run" one --length 1
check "which is a word" [ "$(wc -w <"$scratch/out")" -le 1 ]
check "predict: a network that translates" complains 2 "translate" predict "$scratch/run"
rm -rf "$scratch/run"
check "summary of a language model" prints "(1, 28, 35)" summary rnnlm
check "summary is a tree" prints "  0 LazyConv2d" summary lenet
check "summary of another input" prints "(2, 6, 96, 96)" summary lenet --input 1,96,96 --batch 2
check "summary --json" prints '"multiply_adds":' summary lenet --json
check "summary: no shape" complains 2 "is no shape" summary lenet --input 1,x
check "train: no such optimiser" complains 66 "there is no 'sgdd'" train softmax --data glyphs --optim sgdd --quiet --out "$scratch/run"
check "train: no such option" complains 2 "speed" train softmax --data glyphs --optim adam:speed=3 --quiet --out "$scratch/run"
check "op with many results" prints "and 36 more" op unbind "$(seq -s, 0 99)"
check "help for an unknown command" complains 2 "did you mean 'train'?" help trian
check "an option like another" complains 2 "did you mean --json" list --jsno
check "an option of one letter" complains 2 "there is no option -j" list -j
check "a number that is none" complains 2 "list: --threads must be a whole number from 0 to 1024, not 'two'" list --threads two
check "a number with something behind it" complains 2 "not '2x'" list --threads 2x
check "a number below its range" complains 2 "not '-1'" list --threads -1
check "a number above its range" complains 2 "not '1025'" list --threads=1025
check "a number beyond all numbers" complains 2 "from 0 to 1024" list --threads 99999999999999999999
check "an empty number" complains 2 "from 0 to 1024" list --threads=
check "a value that is missing" complains 2 "--threads needs a value" list --threads
check "an option instead of a value" complains 2 "--threads needs a value" list --threads --json
check "an empty text" complains 2 "--out needs a text" op add 1 2 --out=
check "an option given twice" complains 2 "--threads is given twice" list --threads 1 --threads 2
check "a flag with a value" complains 2 "--json takes no value" list --json=yes
check "an operand too much" complains 2 "'more' is too much" list more
check "an operand too few" complains 2 "FILE is missing" inspect
check "after -- an option is an operand" complains 2 "'--json' is too much" list -- --json
check "--name=VALUE" exits 0 list --threads=1
check "--name VALUE" exits 0 list --threads 1
check "an unknown op" complains 66 "did you mean 'matmul'?" ops matmull
check "an unknown shell" complains 2 "bash, zsh or fish" completion tcsh
check "an unknown action" complains 2 "did you mean 'check'?" data chekc
check "an unknown data set" complains 66 "there is no" data get no-such-data
check "a missing file" complains 66 "no-such-file" inspect no-such-file
printf 'this is no file of tensors' >"$scratch/damaged.npy"
check "a damaged file" complains 65 "damaged.npy" inspect "$scratch/damaged.npy"
check "control characters do not reach the terminal" complains 2 "there is no command 'a?b'" "$(printf 'a\nb')"

# ---- calls by name -------------------------------------------------------------------------------

check "op on lists" prints "tensor([[4, 6]])" op sum "input=[[1, 2], [3, 4]]" dim=0, keepdim=True
check "op with an unknown name" complains 66 "there is no op" op no.such.op
check "op with ragged rows" complains 2 "make no tensor" op neg "[[1, 2], [3]]"
check "op with a list that does not end" complains 2 "at the end of the value" op neg "[1, 2"
check "op saves" exits 0 op neg "[1., 2., 3.]" --out "$scratch/a.npz"
check "inspect" prints "float32" inspect "$scratch/a.npz"
check "convert to safetensors" exits 0 convert "$scratch/a.npz" "$scratch/a.safetensors"
check "convert to npy" exits 0 convert "$scratch/a.safetensors" "$scratch/a.npy"
check "convert to PyTorch's format" exits 0 convert "$scratch/a.safetensors" "$scratch/a.pt"
check "inspect that" prints "float32" inspect "$scratch/a.pt"
check "convert from it" exits 0 convert "$scratch/a.pt" "$scratch/b.npz"
check "convert a part of a checkpoint" exits 0 convert tests/golden/zip.pt "$scratch/net.npz" --key net
check "convert what only PyTorch's format holds" complains 2 "--key" convert tests/golden/zip.pt "$scratch/all.npz"
check "convert a part that is not there" complains 2 "no part 'model'" convert tests/golden/zip.pt \
    "$scratch/x.npz" --key model
printf '\200\002cos\nsystem\nU\002id\205R.' >"$scratch/evil.pt"
check "a pickle that calls something" complains 69 "'os.system'" inspect "$scratch/evil.pt"
same "what it would call" "os.system       1  NO" \
    "$("$CENOTE" inspect "$scratch/evil.pt" 2>/dev/null | tail -n 1)"
check "op on a file" prints "tensor([1., 2., 3.])" op neg "@$scratch/a.npy"
check "convert to an unknown format" complains 2 ".safetensors" convert "$scratch/a.npz" "$scratch/a.xyz"
check "doctor" prints "gradient" doctor

# ---- JSON -------------------------------------------------------------------------------------------

json() { # STATUS ARGUMENT...
    exits "$@" --json && tail -n 1 "$scratch/out" | python3 -m json.tool
}
if command -v python3 >/dev/null; then
    check "list --json" json 0 list
    check "data list --json" json 0 data list
    check "ops --json" json 0 ops
    check "ops OP --json" json 0 ops matmul
    check "op --json" json 0 op div "[1., 0., -1.]" 0
    check "inspect --json" json 0 inspect "$scratch/a.npz"
    check "convert --json" json 0 convert "$scratch/a.npz" "$scratch/b.npz"
    check "doctor --json" json 0 doctor
    check "an error in JSON" json 66 inspect no-such-file
    check "a wrong option in JSON" json 2 list --threads x
    check "text that is not UTF-8 in JSON" json 66 inspect "$(printf 'no-\377-file')"
else
    skip "JSON is valid" "python3 is not installed"
fi

# ---- downloads --------------------------------------------------------------------------------

# Served from a folder; what no server can be asked for here is tried as a damaged file.
mirror() { # STATUS TEXT
    wanted=$1 text=$2
    env -u CENOTE_DATA XDG_CACHE_HOME="$scratch/cache" CENOTE_MIRROR="file://$scratch/mirror" \
        "$CENOTE" data get mnist >"$scratch/out" 2>"$scratch/err" </dev/null
    status=$?
    cat "$scratch/err"
    [ "$status" = "$wanted" ] && grep -q "$text" "$scratch/err" && [ -z "$(ls "$scratch/cache/cenote/mnist")" ]
}

if mirror 69 "no libcurl" >/dev/null; then
    skip "data get" "built without libcurl"
else
    check "data get: a mirror without the file" mirror 74 "cannot be downloaded"
    mkdir -p "$scratch/mirror/mnist"
    for part in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
        echo damaged >"$scratch/mirror/mnist/$part-ubyte.gz"
    done
    check "data get: a damaged file is removed" mirror 65 "train-images-idx3-ubyte.gz: "
fi

# ---- pages and scripts --------------------------------------------------------------------------------

man_page() {
    "$CENOTE" man >"$scratch/cenote.1" || return 1
    groff -man -Tutf8 -ww "$scratch/cenote.1" >"$scratch/page" 2>"$scratch/err" || return 1
    cat "$scratch/err"
    [ ! -s "$scratch/err" ] && grep -q 'doctor' "$scratch/page"
}
if command -v groff >/dev/null; then
    check "the man page renders without a warning" man_page
else
    check "the man page" prints ".TH CENOTE 1" man
fi

parses() { # SHELL
    "$CENOTE" completion "$1" >"$scratch/completion" && "$1" -n "$scratch/completion"
}
for shell in bash zsh fish; do
    check "completion $shell" prints cenote completion $shell
    if command -v $shell >/dev/null; then
        check "completion $shell parses" parses $shell
    else
        skip "completion $shell parses" "$shell is not installed"
    fi
done

complete_in_bash() { # WORD...; prints what could stand for the last one
    "$CENOTE" completion bash >"$scratch/completion"
    bash -c '. "$0"; COMP_WORDS=(cenote "$@"); COMP_CWORD=$#; _cenote; echo "${COMPREPLY[*]}"' \
        "$scratch/completion" "$@"
}
if command -v bash >/dev/null; then
    same "completion of a command" "doctor" "$(complete_in_bash doc)"
    same "completion of an option" "--threads" "$(complete_in_bash list --th)"
    same "completion of an action" "list get check" "$(complete_in_bash data '')"
    same "completion after =" "glyphs" "$(complete_in_bash train --data = gl)"
fi

# ---- standard output ---------------------------------------------------------------------------------------

full() {
    "$CENOTE" list >/dev/full 2>"$scratch/err"
    [ $? = 74 ] && grep -q "standard output" "$scratch/err"
}
if [ -c /dev/full ]; then
    check "a full disk is told" full
else
    skip "a full disk is told" "there is no /dev/full"
fi

closed() {
    "$CENOTE" list >&- 2>"$scratch/err"
    [ $? = 74 ] && grep -q "standard output" "$scratch/err"
}
check "closed standard output is told" closed

nobody_reads() {
    { "$CENOTE" ops --json 2>"$scratch/err"; echo $? >"$scratch/status"; } | head -c 1 >/dev/null
    status=$(cat "$scratch/status")
    [ ! -s "$scratch/err" ] && { [ "$status" = 74 ] || [ "$status" = 0 ]; }
}
check "a reader that leaves is no news" nobody_reads

tap_end
