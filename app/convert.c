/* convert.c - cenote convert: from one file format to another. */
#include "app/app.h"
#include "app/json.h"

#include <cenote/io.h>
#include <stdio.h>

static int run(const Args *args)
{
    const char *in = operand(args, 0), *out = operand(args, 1);
    cn_dict *d = cn_load(in);
    int entries = cn_dict_count(d);
    bool good = d && cn_save(out, d);
    cn_dict_free(d);
    if (!good) return failed(args);
    if (json_wanted(args))
        return print_json(args, json_pack("{s:o, s:o, s:i}", "in", json_text(in), "out",
                                          json_text(out), "entries", entries));
    printf("%s: %d %s\n", out, entries, entries == 1 ? "entry" : "entries");
    return EXIT_OK;
}

const Command command_convert = {
    .name = "convert",
    .operands = "FILE FILE",
    .least = 2,
    .most = 2,
    .about = "convert a file of tensors",
    .details =
        "The first is recognised by its content: .npy, .npz, .safetensors, IDX, also compressed "
        "by gzip. The second gets the format that its extension names: .npy (one tensor), .npz "
        "or .safetensors.",
    .examples = "cenote convert weights.npz weights.safetensors",
    .run = run,
    .instant = true,
};
