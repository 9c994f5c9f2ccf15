/* convert.c - cenote convert: from one file format to another. */
#include "app/app.h"
#include "app/json.h"

#include <cenote/io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const Option options[] = {
    { "key", "KEY", OPT_TEXT, NULL, 0, 0,
      "only this part of the first file, such as state_dict; dots lead further down" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

static bool has_extension(const char *path, const char *extension)
{
    size_t n = strlen(path), m = strlen(extension);
    return n > m && strcasecmp(path + n - m, extension) == 0;
}

/* ---- formats that hold tensors only --------------------------------------------------------- */

/* A number becomes a tensor without dimensions. */
static bool set_plain(cn_dict *flat, const char *key, const cn_value *v)
{
    cn_tensor *t = NULL;
    cn_shape scalar = cn_scalar_shape();
    const uint8_t truth = v->u.i != 0;
    if (v->kind == CN_KIND_INT) t = cn_from(&v->u.i, scalar, CN_I64);
    else if (v->kind == CN_KIND_FLOAT) t = cn_from(&v->u.f, scalar, CN_F64);
    else if (v->kind == CN_KIND_BOOL) t = cn_from(&truth, scalar, CN_BOOL);
    else if (v->kind == CN_KIND_TENSOR) t = v->u.t;
    else
        return cn_fail(CN_EINVALID,
                       "convert: '%s' is of kind %s, which only a .pt file can hold: pick a part "
                       "with --key",
                       key, cn_kind_name(v->kind));
    return t && cn_dict_set_tensor(flat, key, t);
}

/* {"a": {"b": t}} becomes {"a.b": t}. Recursion ends: what cn_load() returns nests at most 64
   deep. */
static bool flatten(cn_dict *flat, const char *prefix, const cn_dict *d)
{
    for (int i = 0; i < cn_dict_count(d); i++) {
        const cn_value *v = cn_dict_at(d, i);
        char *key;
        if (asprintf(&key, "%s%s%s", prefix, *prefix ? "." : "", cn_dict_key(d, i)) < 0)
            return cn_fail(CN_ENOMEM, "convert: no memory for a key");
        bool good = cn_dict_find(flat, key)
                        ? cn_fail(CN_EINVALID, "convert: two tensors would be named '%s'", key)
                    : v->kind == CN_KIND_DICT ? flatten(flat, key, v->u.d)
                                              : set_plain(flat, key, v);
        free(key);
        if (!good) return false;
    }
    return true;
}

/* Metadata stay where there is a place for them. */
static cn_dict *tensors_of(const cn_dict *d, bool metadata)
{
    size_t mark = cn_mark();
    cn_dict *flat = cn_dict_new();
    const cn_value *kept = cn_dict_find(d, "__metadata__");
    bool good = flat;
    for (int i = 0; good && i < cn_dict_count(d); i++) {
        const cn_value *v = cn_dict_at(d, i);
        if (v == kept) good = !metadata || cn_dict_set(flat, "__metadata__", *v);
        else if (v->kind == CN_KIND_DICT) good = flatten(flat, cn_dict_key(d, i), v->u.d);
        else good = set_plain(flat, cn_dict_key(d, i), v);
    }
    cn_release(mark);
    return good ? flat : (cn_dict_free(flat), NULL);
}

/* ---- the command ---------------------------------------------------------------------------- */

/* The part that the dots lead to, borrowed; a key with dots of its own is found, too. */
static const cn_dict *part_of(const cn_dict *d, const char *path)
{
    const cn_value *whole = cn_dict_find(d, path);
    if (whole && whole->kind == CN_KIND_DICT) return whole->u.d;
    for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.')) {
        char *key = strndup(path, (size_t)(dot - path));
        const cn_value *v = key ? cn_dict_find(d, key) : NULL;
        free(key);
        if (v && v->kind == CN_KIND_DICT) return part_of(v->u.d, dot + 1);
    }
    cn_fail(CN_EINVALID, "convert: the file has no part '%s'", path);
    return NULL;
}

static bool convert(const cn_dict *d, const char *out, int *entries)
{
    bool torch = has_extension(out, ".pt") || has_extension(out, ".pth");
    cn_dict *flat = torch ? NULL : tensors_of(d, has_extension(out, ".safetensors"));
    const cn_dict *written = torch ? d : flat;
    *entries = cn_dict_count(written);
    bool good = written && cn_save(out, written);
    cn_dict_free(flat);
    return good;
}

static int run(const Args *args)
{
    const char *in = operand(args, 0), *out = operand(args, 1);
    cn_dict *d = cn_load(in);
    const cn_dict *part = d && given(args, "key") ? part_of(d, text_of(args, "key")) : d;
    int entries = 0;
    bool good = part && convert(part, out, &entries);
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
        "The first is recognised by its content: .npy, .npz, .pt, .pth, .safetensors, IDX, also "
        "compressed by gzip. The second gets the format that its extension names: .npy (one "
        "tensor), .npz, .safetensors, .pt or .pth.\n"
        "A PyTorch file can hold more than tensors. In the other formats dictionaries inside become "
        "keys with dots, numbers tensors without dimensions; what else there is, is refused: --key "
        "picks a part.",
    .examples = "cenote convert weights.npz weights.safetensors\n"
                "cenote convert checkpoint.pt weights.safetensors --key state_dict",
    .options = options,
    .run = run,
    .instant = true,
};
