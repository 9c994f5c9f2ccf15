#!/bin/sh
# check_includes.sh - the tree is the architecture: reads every #include and fails on an arrow that
# points up.
#
#     core <- autograd <- ops <- nn <- {optim, data, text, vision, io, dist, plot} <- train
#
# Backends know core and the list of ops, and nobody but backends knows a backend. Folders in braces may
# use each other one way. models <- book <- app and examples see public headers and these only; public
# headers see the C library and each other; foreign libraries stay in one folder each.
cd "$(dirname "$0")/.." || exit 2

tools/sources.sh include src models book app examples | xargs awk '
    function folder(path,    part, n) {
        n = split(path, part, "/")
        return part[1] == "src" ? part[2] : part[1]
    }
    function bad(why) {
        printf "%s:%d: %s: %s\n", FILENAME, FNR, header, why
        failed = 1
    }
    BEGIN {
        n = split("core autograd ops nn", order, " ")
        for (i = 1; i <= n; i++) rank[order[i]] = i
        n = split("optim data text vision io dist plot", order, " ")
        for (i = 1; i <= n; i++) rank[order[i]] = 5
        rank["train"] = 6
        user["models"] = 1; user["book"] = 2; user["app"] = 3
        home["dnnl"] = home["lapacke"] = "backends"; home["cairo"] = "plot"; home["png"] = home["jpeglib"] = "io data vision"
        home["zlib"] = "io"; home["curl"] = "data"; home["immintrin"] = home["arm_neon"] = "backends"
    }
    !/^[ \t]*#[ \t]*include[ \t]*[<"]/ { next }
    {
        header = $0
        sub(/^[^<"]*[<"]/, "", header)
        sub(/[>"].*/, "", header)
        from = folder(FILENAME)
        to = folder(header)
        checked++
    }
    from == "include" {
        if (header !~ /^[a-z0-9_]+\.h$/) bad("a public header uses the C library and its neighbours only")
        next
    }
    from == "models" || from == "book" || from == "app" || from == "examples" {
        if (to in rank || to == "backends" || header ~ /^\.\./) bad(from " sees public headers only")
        else if (to in user && user[to] > user[from]) bad("points up")
        next
    }
    header !~ /\// || header ~ /^cairo\// || header ~ /^oneapi\// {
        name = header
        sub(/^.*\//, "", name)
        sub(/[.-].*/, "", name)
        if (name in home && !index(" " home[name] " ", " " from " ")) bad("belongs to " home[name])
        if (header ~ /^lapacke/ && FILENAME !~ /\/lapack\//) bad("belongs to backends/lapack")
        if (header ~ /^dnnl/ && FILENAME !~ /\/onednn\//) bad("belongs to backends/onednn")
        next
    }
    to == "backends" && from != "backends" { bad("only backends know a backend") }
    to == "backends" && from == "backends" {
        split(FILENAME, mine, "/"); split(header, theirs, "/")
        if (theirs[3] && mine[4] && mine[3] != theirs[2]) bad("backends do not know each other")
    }
    to in rank && from == "backends" && rank[to] > 3 { bad("backends know core and ops") }
    to in rank && from in rank && rank[to] > rank[from] { bad("points up from " from) }
    to in rank && from in rank && to != from && rank[to] == rank[from] {
        if ((to, from) in sideways) bad(from " and " to " include each other")
        sideways[from, to] = 1
    }
    END {
        if (!checked) print "check_includes: no #include was read"
        exit failed || !checked
    }'
