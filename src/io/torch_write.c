/* torch_write.c - files for torch.load(weights_only=True): an archive with a pickle of protocol 2.

   The elements of tensors that overlap in memory are written once, and the tensors overlap again
   when they are read. A tensor that skips elements of its storage, and shares it with nobody, is
   written without the gaps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/tensor.h"
#include "io/number.h"
#include "io/torch.h"

#define ALIGNMENT 64
#define FOLDER "archive/"

/* A tensor, and the addresses its elements lie between. */
typedef struct item {
    cn_tensor *tensor;
    const char *low, *high;
    size_t record;
} item;

/* What becomes a storage of the file. */
typedef struct record {
    const char *low, *high;
    size_t members;
    int number; /* in the order in which the value uses them; -1: not met yet */
} record;

typedef struct writer {
    const char *path;
    item *items; /* in the order of the value */
    record *records;
    char *pickle;
    size_t n_items, items_room, n_records, pickle_size, pickle_room;
    size_t next; /* item that the pickle comes to next */
    bool failed;
} writer;

/* ---- which tensors share memory --------------------------------------------------------------- */

static void measure(item *it)
{
    const cn_view *v = &it->tensor->v;
    int64_t last = v->numel ? 1 : 0;
    for (int i = 0; i < v->shape.ndim && v->numel; i++)
        last += (v->shape.dim[i] - 1) * v->strides[i];
    it->low = v->data;
    it->high = v->data + last * (int64_t)cn_dtype_size(v->dtype);
}

static bool steps_back(const cn_tensor *t)
{
    for (int i = 0; i < t->v.shape.ndim; i++)
        if (t->v.strides[i] < 0) return true;
    return false;
}

/* PyTorch has no negative strides. */
static bool collect_tensor(writer *w, cn_tensor *t)
{
    if (steps_back(t) && !(t = cn_rows(t))) return false;
    if (!cn_array_grow(&w->items, &w->items_room, w->n_items + 1, sizeof *w->items)) return false;
    w->items[w->n_items] = (item){ .tensor = t };
    measure(&w->items[w->n_items++]);
    return true;
}

static bool is_metadata(const char *key, bool top)
{
    return top && strcmp(key, "__metadata__") == 0;
}

/* Recursion ends: dictionaries and lists nest at most 64 deep. */
static bool collect(writer *w, const cn_value *v, bool top)
{
    bool ok = true;
    if (v->kind == CN_KIND_TENSOR) return collect_tensor(w, v->u.t);
    for (int i = 0; v->kind == CN_KIND_LIST && ok && i < v->n; i++)
        ok = collect(w, &v->u.list[i], false);
    for (int i = 0; v->kind == CN_KIND_DICT && ok && i < cn_dict_count(v->u.d); i++)
        ok = is_metadata(cn_dict_key(v->u.d, i), top) || collect(w, cn_dict_at(v->u.d, i), false);
    return ok;
}

static int compare_items(const void *a, const void *b)
{
    const item *x = *(item *const *)a, *y = *(item *const *)b;
    cn_dtype dx = x->tensor->v.dtype, dy = y->tensor->v.dtype;
    if (dx != dy) return dx < dy ? -1 : 1;
    if (x->low != y->low) return x->low < y->low ? -1 : 1;
    return (x->high > y->high) - (x->high < y->high);
}

static bool joins(const record *r, const item *first, const item *it)
{
    size_t width = cn_dtype_size(it->tensor->v.dtype);
    return first->tensor->v.dtype == it->tensor->v.dtype && it->low < r->high &&
           (size_t)(it->low - r->low) % width == 0;
}

/* Sorted by address, a tensor either overlaps what was joined so far or begins a record. */
static void join(writer *w, item **sorted)
{
    const item *first = NULL;
    for (size_t i = 0; i < w->n_items; i++) {
        item *it = sorted[i];
        if (!first || !joins(&w->records[w->n_records - 1], first, it)) {
            first = it;
            w->records[w->n_records++] = (record){ it->low, it->high, 0, -1 };
        }
        record *r = &w->records[w->n_records - 1];
        if (it->high > r->high) r->high = it->high;
        r->members++;
        it->record = w->n_records - 1;
    }
}

static bool close_gaps(writer *w, item *it)
{
    record *r = &w->records[it->record];
    size_t wanted = (size_t)it->tensor->v.numel * cn_dtype_size(it->tensor->v.dtype);
    if (r->members > 1 || (size_t)(r->high - r->low) <= wanted) return true;
    if (!(it->tensor = cn_rows(it->tensor))) return false;
    measure(it);
    r->low = it->low, r->high = it->high;
    return true;
}

static bool plan(writer *w)
{
    item **sorted = cn_alloc(w->n_items * sizeof *sorted);
    w->records = cn_alloc(w->n_items * sizeof *w->records);
    bool ok = sorted && w->records;
    for (size_t i = 0; ok && i < w->n_items; i++) sorted[i] = &w->items[i];
    if (ok && w->n_items) qsort(sorted, w->n_items, sizeof *sorted, compare_items);
    if (ok) join(w, sorted);
    for (size_t i = 0, number = 0; ok && i < w->n_items; i++) {
        record *r = &w->records[w->items[i].record];
        if (r->number < 0) r->number = (int)number++;
        ok = close_gaps(w, &w->items[i]);
    }
    cn_free(sorted);
    return ok;
}

/* ---- the pickle ------------------------------------------------------------------------------ */

static void put(writer *w, const void *bytes, size_t size)
{
    w->failed |= !cn_array_grow(&w->pickle, &w->pickle_room, w->pickle_size + size, 1);
    if (w->failed) return;
    memcpy(w->pickle + w->pickle_size, bytes, size);
    w->pickle_size += size;
}

static void put_op(writer *w, const char *ops)
{
    put(w, ops, strlen(ops));
}

/* An opcode, and its argument in little-endian. */
static void put_number(writer *w, int op, uint64_t value, int size)
{
    uint8_t bytes[9] = { (uint8_t)op };
    for (int i = 0; i < size; i++) bytes[1 + i] = (uint8_t)(value >> 8 * i);
    put(w, bytes, (size_t)size + 1);
}

static void put_int(writer *w, int64_t i)
{
    if (i >= 0 && i <= UINT8_MAX) put_number(w, 'K', (uint64_t)i, 1);
    else if (i >= 0 && i <= UINT16_MAX) put_number(w, 'M', (uint64_t)i, 2);
    else if (i >= INT32_MIN && i <= INT32_MAX) put_number(w, 'J', (uint64_t)i, 4);
    else put_op(w, "\x8A"), put_number(w, 8, (uint64_t)i, 8);
}

static void put_float(writer *w, double f)
{
    uint64_t bits;
    memcpy(&bits, &f, sizeof bits);
    put_number(w, 'G', __builtin_bswap64(bits), 8);
}

static void put_text(writer *w, const char *text)
{
    size_t size = strlen(text);
    if (size > CN_PICKLE_MAX) {
        w->failed = true;
        cn_fail(CN_EUNSUPPORTED, "%s: a text of %zu bytes is too long", w->path, size);
        return;
    }
    put_number(w, 'X', size, 4);
    put(w, text, size);
}

static void put_global(writer *w, const char *module, const char *name)
{
    put_op(w, "c"), put_op(w, module), put_op(w, "\n"), put_op(w, name), put_op(w, "\n");
}

static void put_ints(writer *w, const int64_t *numbers, int n)
{
    put_op(w, "(");
    for (int i = 0; i < n; i++) put_int(w, numbers[i]);
    put_op(w, "t");
}

/* _rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks), where the storage is
   known by ("storage", type, key, place, elements). */
static void put_tensor(writer *w)
{
    const item *it = &w->items[w->next++];
    const record *r = &w->records[it->record];
    const cn_view *v = &it->tensor->v;
    int64_t width = (int64_t)cn_dtype_size(v->dtype);
    char key[16];
    snprintf(key, sizeof key, "%d", r->number);
    put_global(w, "torch._utils", "_rebuild_tensor_v2");
    put_op(w, "((");
    put_text(w, "storage");
    put_global(w, "torch", cn_torch_storage_name(v->dtype));
    put_text(w, key);
    put_text(w, "cpu");
    put_int(w, (r->high - r->low) / width);
    put_op(w, "tQ");
    put_int(w, (it->low - r->low) / width);
    put_ints(w, v->shape.dim, v->shape.ndim);
    put_ints(w, v->strides, v->shape.ndim);
    put_op(w, "\x89");
    put_global(w, "collections", "OrderedDict");
    put_op(w, ")RtR");
}

static void put_value(writer *w, const cn_value *v, bool numbered, bool top);

static void put_list(writer *w, const cn_value *v)
{
    put_op(w, "](");
    for (int i = 0; i < v->n; i++) put_value(w, &v->u.list[i], false, false);
    put_op(w, "e");
}

static void put_key(writer *w, const char *key, bool numbered)
{
    int64_t number = 0;
    char back[24] = "";
    if (numbered && cn_parse_int(key, strlen(key), &number))
        snprintf(back, sizeof back, "%lld", (long long)number);
    if (strcmp(back, key) == 0) put_int(w, number);
    else put_text(w, key);
}

/* The state_dict of an optimiser: its "state" has integers for keys, which here are their text. */
static bool is_optimiser(const cn_dict *d)
{
    const cn_value *groups = cn_dict_find(d, "param_groups");
    return groups && groups->kind == CN_KIND_LIST;
}

static void put_dict(writer *w, const cn_dict *d, bool numbered, bool top)
{
    bool optimiser = is_optimiser(d);
    put_global(w, "collections", "OrderedDict");
    put_op(w, ")R(");
    for (int i = 0; i < cn_dict_count(d); i++) {
        const char *key = cn_dict_key(d, i);
        if (is_metadata(key, top)) continue;
        put_key(w, key, numbered);
        put_value(w, cn_dict_at(d, i), optimiser && strcmp(key, "state") == 0, false);
    }
    put_op(w, "u");
}

static void put_value(writer *w, const cn_value *v, bool numbered, bool top)
{
    switch (v->kind) {
    case CN_KIND_NONE: put_op(w, "N"); break;
    case CN_KIND_BOOL: put_op(w, v->u.i ? "\x88" : "\x89"); break;
    case CN_KIND_INT: put_int(w, v->u.i); break;
    case CN_KIND_FLOAT: put_float(w, v->u.f); break;
    case CN_KIND_STR: put_text(w, v->u.s); break;
    case CN_KIND_TENSOR: put_tensor(w); break;
    case CN_KIND_LIST: put_list(w, v); break;
    case CN_KIND_DICT: put_dict(w, v->u.d, numbered, top); break;
    case CN_KIND_DTYPE: put_global(w, "torch", cn_dtype_name((cn_dtype)v->u.i)); break;
    default:
        w->failed = true;
        cn_fail(CN_EINVALID, "%s: a value of kind %s cannot be written", w->path,
                cn_kind_name(v->kind));
    }
}

/* ---- the archive ----------------------------------------------------------------------------- */

static bool add(cn_zip_writer *zip, const char *name, const void *data, size_t size, size_t align)
{
    return cn_zip_add(zip, name, &(cn_span){ data, size }, 1, align);
}

/* Every record when its first tensor comes: in the order of their numbers. */
static bool add_records(writer *w, cn_zip_writer *zip)
{
    int number = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < w->n_items; i++) {
        const record *r = &w->records[w->items[i].record];
        char name[40];
        if (r->number != number) continue;
        snprintf(name, sizeof name, FOLDER "data/%d", number++);
        ok = add(zip, name, r->low, (size_t)(r->high - r->low), ALIGNMENT);
    }
    return ok;
}

static bool write_archive(writer *w, cn_file *f)
{
    cn_zip_writer *zip = cn_zip_create(f);
    bool ok = zip && add(zip, FOLDER "data.pkl", w->pickle, w->pickle_size, ALIGNMENT) &&
              add(zip, FOLDER "byteorder", "little", 6, 1) && add_records(w, zip) &&
              add(zip, FOLDER "version", "3\n", 2, 1);
    return cn_zip_finish(zip, ok);
}

/* The value that a dictionary stands for: one that has the key "" only, is what that holds. */
bool cn_write_torch(cn_file *f, const cn_dict *d, const char *path)
{
    size_t mark = cn_mark();
    writer w = { .path = path };
    const cn_value *alone = cn_dict_count(d) == 1 ? cn_dict_find(d, "") : NULL;
    cn_value whole = { .kind = CN_KIND_DICT, .u.d = (cn_dict *)d };
    const cn_value *value = alone ? alone : &whole;
    bool ok = collect(&w, value, true) && plan(&w);
    if (ok) {
        put_op(&w, "\x80\x02");
        put_value(&w, value, false, true);
        put_op(&w, ".");
        ok = !w.failed && write_archive(&w, f);
    }
    cn_free(w.items);
    cn_free(w.records);
    cn_free(w.pickle);
    cn_release(mark);
    return ok;
}
