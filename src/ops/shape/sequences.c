/* sequences.c - sequences of unequal length: side by side with padding, or packed: for each step
   the rows of the sequences that have it, the longest sequence first. */
#include "ops/compose.h"

#include <string.h>

/* ---- helpers ------------------------------------------------------------------------------- */

/* A vector of integers as an array of its own; free it with cn_free(). */
static int64_t *integers_of(const cn_tensor *t, const char *what)
{
    if (t->v.shape.ndim != 1 || t->v.numel == 0 || cn_dtype_is_float(t->v.dtype)) {
        cn_fail(CN_EINVALID, "%s must be a vector of integers", what);
        return NULL;
    }
    int64_t *x = cn_alloc((size_t)t->v.numel * sizeof *x);
    if (x && cn_read(t, CN_I64, x, t->v.numel)) return x;
    cn_free(x);
    return NULL;
}

static int64_t *data_of(cn_tensor *t)
{
    return t ? (int64_t *)(void *)t->v.data : NULL;
}

/* The first two dimensions merged, or the first split into these two. */
static cn_tensor *merge_two(cn_tensor *t)
{
    if (!t) return NULL;
    cn_shape s = { .ndim = t->v.shape.ndim - 1, .dim = { t->v.shape.dim[0] * t->v.shape.dim[1] } };
    for (int i = 1; i < s.ndim; i++) s.dim[i] = t->v.shape.dim[i + 1];
    return cn_reshape(t, s);
}

static cn_tensor *split_first(cn_tensor *t, int64_t a, int64_t b)
{
    if (!t) return NULL;
    cn_shape s = { .ndim = t->v.shape.ndim + 1, .dim = { a, b } };
    for (int i = 2; i < s.ndim; i++) s.dim[i] = t->v.shape.dim[i - 1];
    return cn_reshape(t, s);
}

/* ---- pad_sequence -------------------------------------------------------------------------- */

typedef struct {
    bool batch_first;
    double value;
    const char *side;
} PadSequence;

static bool sequences_fit(const cn_call *c, int64_t *longest)
{
    char a[128], b[128];
    *longest = 0;
    if (c->n_in == 0) return cn_fail(CN_EINVALID, "%s: no sequences", c->op->name);
    for (int i = 0; i < c->n_in; i++) {
        cn_shape s = c->in[i]->v.shape, first = c->in[0]->v.shape;
        if (s.ndim < 1) return cn_fail(CN_EINVALID, "%s: sequence %d is 0-d", c->op->name, i);
        if (s.dim[0] > *longest) *longest = s.dim[0];
        first.dim[0] = s.dim[0];
        if (!cn_shape_equal(&s, &first))
            return cn_fail(CN_EINVALID, "%s: the shapes %s and %s differ after the first dimension",
                           c->op->name, cn_shape_text(&c->in[0]->v.shape, a), cn_shape_text(&s, b));
    }
    return true;
}

/* dim 0 made `length` long, with `value` at the end or at the beginning. */
static cn_tensor *padded_to(cn_tensor *t, int64_t length, double value, bool left)
{
    cn_shape s = t->v.shape;
    s.dim[0] = length - s.dim[0];
    if (s.dim[0] == 0) return t;
    cn_tensor *padding = cn_full(s, value, t->v.dtype);
    return cn_cat(left ? (cn_tensor *[]){ padding, t } : (cn_tensor *[]){ t, padding }, 2, 0);
}

static bool pad_sequence_compose(cn_call *c)
{
    const PadSequence *p = c->params;
    bool left = strcmp(p->side, "left") == 0, ok = true;
    int64_t longest;
    if (!left && strcmp(p->side, "right") != 0)
        return cn_fail(CN_EINVALID,
                       "pad_sequence: padding_side must be 'left' or 'right', not '%s'", p->side);
    if (!sequences_fit(c, &longest)) return false;
    cn_tensor **list = cn_alloc((size_t)c->n_in * sizeof(cn_tensor *));
    if (!list) return false;
    for (int i = 0; ok && i < c->n_in; i++)
        ok = (list[i] = padded_to(c->in[i], longest, p->value, left)) != NULL;
    cn_tensor *y = ok ? cn_stack(list, c->n_in, p->batch_first ? 0 : 1) : NULL;
    cn_free(list);
    return cn_set_out(c, 0, y);
}

const cn_op cn_op_pad_sequence = {
    CN_OP_HEAD(pad_sequence, "nn.utils.rnn.pad_sequence",
               "(Tensor[] sequences, bool batch_first=False, float padding_value=0.0, str "
               "padding_side='right') -> Tensor"),
    .doc = "Sequences (steps, ...) side by side, shorter ones padded: (steps, batch, ...).",
    .params_size = sizeof(PadSequence),
    .compose = pad_sequence_compose,
    .samples = "{[3,2] [1,2] [2,2]} | {[2] [3]} batch_first=True padding_value=0.5 | {[0,2] [1,2]}",
};

cn_tensor *cn_pad_sequence(cn_tensor *const *sequences, int n, bool batch_first, double value)
{
    const PadSequence p = { batch_first, value, "right" };
    for (int i = 0; i < n; i++)
        if (!sequences[i]) return NULL;
    return cn_apply1(&cn_op_pad_sequence, sequences, n, &p);
}

/* ---- pack ---------------------------------------------------------------------------------- */

typedef struct {
    bool batch_first, sorted;
} Pack;

static bool check_lengths(const cn_call *c, const int64_t *length, int64_t n, int64_t steps)
{
    const Pack *p = c->params;
    for (int64_t i = 0; i < n; i++) {
        if (length[i] < 1 || length[i] > steps)
            return cn_fail(CN_EINVALID, "%s: length %lld of sequence %lld is not within 1 .. %lld",
                           c->op->name, (long long)length[i], (long long)i, (long long)steps);
        if (p->sorted && i && length[i] > length[i - 1])
            return cn_fail(CN_EINVALID,
                           "%s: the lengths grow from sequence %lld to %lld; sort them, "
                           "or pass enforce_sorted=False",
                           c->op->name, (long long)i - 1, (long long)i);
    }
    return true;
}

/* batch_sizes, and the row of each packed step among (steps * batch), from lengths that shrink and
   the column of each. */
static bool pack_plan(const int64_t *length, const int64_t *column, int64_t batch,
                      cn_tensor **sizes, cn_tensor **rows)
{
    int64_t total = 0, at = 0;
    for (int64_t i = 0; i < batch; i++) total += length[i];
    *sizes = cn_empty(CN_SHAPE(length[0]), CN_I64), *rows = cn_empty(CN_SHAPE(total), CN_I64);
    int64_t *size = data_of(*sizes), *row = data_of(*rows);
    if (!size || !row) return false;
    for (int64_t t = 0, alive = batch; t < length[0]; t++) {
        while (length[alive - 1] <= t) alive--;
        size[t] = alive;
        for (int64_t i = 0; i < alive; i++) row[at++] = t * batch + (column ? column[i] : i);
    }
    return true;
}

static cn_tensor *inverse(const cn_tensor *permutation)
{
    int64_t n = permutation->v.numel;
    const int64_t *p = (const int64_t *)(const void *)permutation->v.data;
    cn_tensor *t = cn_empty(CN_SHAPE(n), CN_I64);
    int64_t *x = data_of(t);
    for (int64_t i = 0; x && i < n; i++) x[p[i]] = i;
    return t;
}

static bool pack(cn_call *c, cn_tensor *steps_first, const int64_t *length, int64_t batch,
                 cn_tensor *order)
{
    cn_tensor *sizes, *rows;
    if (!pack_plan(length, data_of(order), batch, &sizes, &rows)) return false;
    return cn_set_out(c, 0, cn_index_select(merge_two(steps_first), 0, rows)) &&
           cn_set_out(c, 1, sizes) &&
           (!order || (cn_set_out(c, 2, order) && cn_set_out(c, 3, inverse(order))));
}

static bool pack_padded_compose(cn_call *c)
{
    const Pack *p = c->params;
    if (!cn_want_dims(c, 0, 2, CN_MAX_DIMS)) return false;
    cn_tensor *x = p->batch_first ? cn_transpose(c->in[0], 0, 1) : c->in[0], *lengths = c->in[1];
    int64_t batch = x ? x->v.shape.dim[1] : 0;
    if (!x || !cn_want_dims(c, 1, 1, 1)) return false;
    if (lengths->v.numel != batch)
        return cn_fail(CN_EINVALID, "%s: %lld lengths for a batch of %lld", c->op->name,
                       (long long)lengths->v.numel, (long long)batch);
    cn_indexed sorted = { lengths, NULL };
    if (!p->sorted) sorted = cn_sort(lengths, 0, true);
    int64_t *length = sorted.values ? integers_of(sorted.values, "lengths") : NULL;
    bool ok = length && check_lengths(c, length, batch, x->v.shape.dim[0]) &&
              pack(c, x, length, batch, sorted.indices);
    cn_free(length);
    return ok;
}

const cn_op cn_op_pack_padded_sequence = {
    CN_OP_HEAD(
        pack_padded_sequence, "nn.utils.rnn.pack_padded_sequence",
        "(Tensor input, Tensor lengths, bool batch_first=False, bool enforce_sorted=True) -> "
        "(Tensor, Tensor, Tensor, Tensor)"),
    .doc = "The steps of sequences beside each other, without padding: data, batch_sizes, and "
           "unless they came sorted, sorted_indices and unsorted_indices.",
    .params_size = sizeof(Pack),
    .compose = pack_padded_compose,
    .samples = "[4,3,2] i64(4,2,1) | [3,4] i64(2,4,3) batch_first=True enforce_sorted=False | "
               "[2,2] i64(2,2)",
};

cn_packed cn_pack_padded_sequence(cn_tensor *input, cn_tensor *lengths, bool batch_first)
{
    const Pack p = { batch_first, false };
    cn_tensor *in[] = { input, lengths }, *out[4] = { NULL };
    if (input && lengths) cn_apply(&cn_op_pack_padded_sequence, in, 2, &p, out, 4);
    return (cn_packed){ out[0], out[1], out[2], out[3] };
}

/* ---- unpack -------------------------------------------------------------------------------- */

typedef struct {
    bool batch_first;
    double value;
    cn_opt_int total_length;
} Unpack;

/* For each place of (steps, batch) its row of the packed data, or the row after the last: padding.
   place[j]: where sequence j is among the sorted; NULL: at j. */
static cn_tensor *unpack_plan(const int64_t *size, int64_t n, int64_t steps, const int64_t *place,
                              cn_tensor *lengths)
{
    int64_t batch = size[0], rows = 0, *length = data_of(lengths);
    cn_tensor *t = cn_empty(CN_SHAPE(steps * batch), CN_I64);
    int64_t *row = data_of(t);
    if (!row || !length) return NULL;
    for (int64_t i = 0; i < n; i++) rows += size[i];
    memset(length, 0, (size_t)batch * sizeof *length);
    for (int64_t i = 0, first = 0; i < steps; first += i < n ? size[i] : 0, i++)
        for (int64_t j = 0; j < batch; j++) {
            int64_t at = place ? place[j] : j;
            bool alive = i < n && at < size[i];
            row[i * batch + j] = alive ? first + at : rows;
            length[j] += alive;
        }
    return t;
}

static bool check_packed(const cn_call *c, const int64_t *size, int64_t n, const int64_t *place)
{
    int64_t rows = 0;
    for (int64_t t = 0; t < n; t++) {
        if (size[t] < 1 || (t && size[t] > size[t - 1]) || size[t] > c->in[0]->v.shape.dim[0])
            return cn_fail(CN_EINVALID, "%s: batch_sizes[%lld] is %lld", c->op->name, (long long)t,
                           (long long)size[t]);
        rows += size[t];
    }
    for (int64_t j = 0; place && j < size[0]; j++)
        if (place[j] < 0 || place[j] >= size[0])
            return cn_fail(CN_EINVALID, "%s: unsorted_indices[%lld] is %lld", c->op->name,
                           (long long)j, (long long)place[j]);
    return rows == c->in[0]->v.shape.dim[0] ||
           cn_fail(CN_EINVALID, "%s: batch_sizes add up to %lld, but there are %lld rows",
                   c->op->name, (long long)rows, (long long)c->in[0]->v.shape.dim[0]);
}

static bool unpack(cn_call *c, const int64_t *size, int64_t n, const int64_t *place)
{
    const Unpack *p = c->params;
    int64_t steps = p->total_length.given ? p->total_length.value : n;
    if (steps < n)
        return cn_fail(CN_EINVALID, "%s: total_length %lld is less than the longest sequence, %lld",
                       c->op->name, (long long)steps, (long long)n);
    if (!check_packed(c, size, n, place)) return false;
    cn_tensor *lengths = cn_empty(CN_SHAPE(size[0]), CN_I64);
    cn_tensor *rows = unpack_plan(size, n, steps, place, lengths);
    cn_tensor *data =
        rows ? padded_to(c->in[0], c->in[0]->v.shape.dim[0] + 1, p->value, false) : NULL;
    cn_tensor *y = split_first(cn_index_select(data, 0, rows), steps, size[0]);
    if (p->batch_first) y = cn_transpose(y, 0, 1);
    return cn_set_out(c, 0, y) && cn_set_out(c, 1, lengths);
}

static bool pad_packed_compose(cn_call *c)
{
    cn_tensor *sizes = c->n_in > 1 ? c->in[1] : NULL, *places = c->n_in > 3 ? c->in[3] : NULL;
    if (!sizes || !cn_want_dims(c, 0, 1, CN_MAX_DIMS - 1))
        return cn_fail(CN_EINVALID,
                       "%s: a packed sequence is (data, batch_sizes, sorted_indices, "
                       "unsorted_indices)",
                       c->op->name);
    int64_t *size = integers_of(sizes, "batch_sizes");
    int64_t *place = size && places ? integers_of(places, "unsorted_indices") : NULL;
    bool ok = size && (!places || place);
    if (ok && place && places->v.numel != size[0])
        ok = cn_fail(CN_EINVALID, "%s: %lld unsorted_indices for %lld sequences", c->op->name,
                     (long long)places->v.numel, (long long)size[0]);
    ok = ok && unpack(c, size, sizes->v.numel, place);
    cn_free(size);
    cn_free(place);
    return ok;
}

const cn_op cn_op_pad_packed_sequence = {
    CN_OP_HEAD(pad_packed_sequence, "nn.utils.rnn.pad_packed_sequence",
               "(Tensor[4] sequence, bool batch_first=False, float padding_value=0.0, int? "
               "total_length=None) -> (Tensor, Tensor)"),
    .doc = "A packed sequence beside each other again, padded, and the lengths.",
    .params_size = sizeof(Unpack),
    .optional = CN_SAVE_IN(2) | CN_SAVE_IN(3),
    .compose = pad_packed_compose,
    .samples =
        "{[6,2] i64(3,2,1) None None} | {[6,2] i64(3,2,1) i64(2,0,1) i64(1,2,0)} True 0.5 5 | "
        "{[2] i64(1,1)}",
};

cn_tensor *cn_pad_packed_sequence(const cn_packed *packed, bool batch_first, double value,
                                  int64_t total_length)
{
    const Unpack p = { batch_first, value, { total_length > 0, total_length } };
    cn_tensor *in[] = { packed->data, packed->batch_sizes, packed->sorted_indices,
                        packed->unsorted_indices };
    return in[0] && in[1] ? cn_apply1(&cn_op_pad_packed_sequence, in, 4, &p) : NULL;
}
