/* heads.c - rows of numbers as heads of attention, and back (D2L 11.5). Each of the two ops is the gradient of
   the other; queries, keys and values that one product made are cut, and their gradients joined, in one
   pass. */
#include "ops/compose.h"
#include "ops/fused.h"

#include <string.h>

enum { MOST = 3 };

typedef struct {
    int64_t parts, heads;
    bool steps_first;
} Split;

typedef struct {
    bool steps_first;
} Join;

/* Rows of parts x heads x size numbers, (batch, steps, ..) or (steps, batch, ..), and for each part
   (batch, heads, steps, size). */
typedef struct {
    int64_t batch, steps, parts, heads;
    bool steps_first, joins;
    size_t bytes; /* of one head's numbers */
    char *rows, *part[MOST];
} Heads;

/* memcpy() of so few bytes would be mostly the call. */
static void copy_few(char *to, const char *from, size_t n)
{
    enum { PIECE = 16 };
    size_t i = 0;
    for (; i + PIECE <= n; i += PIECE) memcpy(to + i, from + i, PIECE);
    for (; i < n; i++) to[i] = from[i];
}

/* Step t of example b, which `row` has. */
static void move_row(const Heads *h, char *row, int64_t b, int64_t t)
{
    const size_t next = (size_t)h->steps * h->bytes, first = (size_t)(b * h->heads) * next;
    for (int64_t p = 0; p < h->parts; p++) {
        char *one = h->part[p] + first + (size_t)t * h->bytes;
        for (int64_t k = 0; k < h->heads; k++, row += h->bytes, one += next) {
            if (h->joins) copy_few(row, one, h->bytes);
            else copy_few(one, row, h->bytes);
        }
    }
}

static void move_rows(int64_t first, int64_t last, void *context)
{
    const Heads *h = context;
    const size_t width = (size_t)(h->parts * h->heads) * h->bytes;
    for (int64_t r = first; r < last; r++) {
        char *row = h->rows + (size_t)r * width;
        if (h->steps_first) move_row(h, row, r % h->batch, r / h->batch);
        else move_row(h, row, r / h->steps, r % h->steps);
    }
}

static bool move(Heads *h)
{
    const int64_t numbers = h->parts * h->heads * (int64_t)h->bytes / 4;
    cn_parallel(h->batch * h->steps, numbers, move_rows, h);
    return true;
}

/* ---- apart --------------------------------------------------------------------------------- */

static bool split_infer(const cn_call *c, cn_spec out[])
{
    const Split *p = c->params;
    const cn_view *x = &c->in[0]->v;
    if (!cn_want_dims(c, 0, 3, 3)) return false;
    const int64_t *d = x->shape.dim;
    if (p->parts < 1 || p->parts > MOST || p->heads < 1 || d[2] % p->parts ||
        d[2] / p->parts % p->heads)
        return cn_fail(CN_EINVALID, "split_heads: %lld numbers are not %lld parts of %lld heads",
                       (long long)d[2], (long long)p->parts, (long long)p->heads);
    const int64_t batch = d[p->steps_first], steps = d[!p->steps_first];
    for (int i = 0; i < MOST; i++)
        out[i] = (cn_spec){ x->dtype, i < p->parts ? CN_SHAPE(batch, p->heads, steps,
                                                              d[2] / p->parts / p->heads)
                                                   : CN_SHAPE(0) };
    return true;
}

static bool split_kernel(const cn_call *c)
{
    const Split *p = c->params;
    const cn_shape *s = &cn_out(c, 0)->shape;
    Heads h = { .batch = s->dim[0],
                .steps = s->dim[2],
                .parts = p->parts,
                .heads = p->heads,
                .steps_first = p->steps_first,
                .bytes = (size_t)s->dim[3] * cn_dtype_size(cn_in(c, 0)->dtype),
                .rows = cn_in(c, 0)->data };
    for (int i = 0; i < p->parts; i++) h.part[i] = cn_out(c, i)->data;
    return move(&h);
}

static void split_backward(cn_grads *g)
{
    const Split *p = cn_grad_params(g);
    cn_tensor *parts[MOST];
    for (int i = 0; i < p->parts; i++) parts[i] = cn_gout(g, i);
    cn_give(g, 0, cn_join_heads(parts, (int)p->parts, p->steps_first));
}

const cn_op cn_op_split_heads = {
    CN_OP_HEAD(split_heads, "split_heads",
               "(Tensor input, int parts, int heads, bool steps_first=False) -> (Tensor, Tensor, "
               "Tensor)"),
    .doc =
        "(batch, steps, parts * heads * size), or with the steps first, cut into up to three tensors of (batch, "
        "heads, steps, size); those that are not wanted are empty.",
    .flags = CN_ROWS,
    .params_size = sizeof(Split),
    .infer = split_infer,
    .kernel = split_kernel,
    .backward = split_backward,
    .samples = "[2,3,8] 1 2 | [3,2,12] 3 2 True | [1,2,6] 3 1 | [0,2,6] 2 3",
};

bool cn_split_heads(cn_tensor *x, int parts, int64_t heads, bool steps_first, cn_tensor *out[])
{
    const Split p = { parts, heads, steps_first };
    cn_tensor *all[MOST];
    if (!cn_apply(&cn_op_split_heads, &x, 1, &p, all, MOST)) return false;
    memcpy(out, all, (size_t)parts * sizeof *out);
    return true;
}

/* ---- together ------------------------------------------------------------------------------ */

static int parts_given(const cn_call *c)
{
    int n = 1;
    while (n < c->n_in && c->in[n]) n++;
    return n;
}

static bool join_infer(const cn_call *c, cn_spec out[])
{
    const Join *p = c->params;
    const cn_view *x = &c->in[0]->v;
    const int parts = parts_given(c);
    if (!cn_want_dims(c, 0, 4, 4)) return false;
    for (int i = 1; i < c->n_in; i++)
        if (i < parts
                ? !cn_shape_equal(&cn_in(c, i)->shape, &x->shape) || cn_in(c, i)->dtype != x->dtype
                : c->in[i] != NULL)
            return cn_fail(CN_EINVALID, "join_heads: the parts are not of one shape and type");
    const int64_t *d = x->shape.dim, width = parts * d[1] * d[3];
    *out = (cn_spec){ x->dtype,
                      p->steps_first ? CN_SHAPE(d[2], d[0], width) : CN_SHAPE(d[0], d[2], width) };
    return true;
}

static bool join_kernel(const cn_call *c)
{
    const Join *p = c->params;
    const cn_shape *s = &cn_in(c, 0)->shape;
    Heads h = { .batch = s->dim[0],
                .steps = s->dim[2],
                .parts = parts_given(c),
                .heads = s->dim[1],
                .steps_first = p->steps_first,
                .joins = true,
                .bytes = (size_t)s->dim[3] * cn_dtype_size(cn_in(c, 0)->dtype),
                .rows = cn_out(c, 0)->data };
    for (int i = 0; i < h.parts; i++) h.part[i] = cn_in(c, i)->data;
    return move(&h);
}

static void join_backward(cn_grads *g)
{
    const Join *p = cn_grad_params(g);
    cn_tensor *parts[MOST], *first = cn_saved_in(g, 0);
    int n = 1;
    while (n < MOST && cn_saved_in(g, n)) n++;
    if (!first || !cn_split_heads(cn_gout(g, 0), n, first->v.shape.dim[1], p->steps_first, parts))
        return;
    for (int i = 0; i < n; i++) cn_give(g, i, parts[i]);
}

const cn_op cn_op_join_heads = {
    CN_OP_HEAD(join_heads, "join_heads",
               "(Tensor input, Tensor? second=None, Tensor? third=None, bool steps_first=False) -> "
               "Tensor"),
    .doc =
        "Up to three tensors of (batch, heads, steps, size) side by side, (batch, steps, parts * "
        "heads * size), or with the steps first.",
    .flags = CN_ROWS,
    .params_size = sizeof(Join),
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2),
    .infer = join_infer,
    .kernel = join_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1) | CN_SAVE_IN(2),
    .backward = join_backward,
    .samples = "[2,2,3,4] | [2,2,3,1] [2,2,3,1] [2,2,3,1] True | [1,2,3,2] [1,2,3,2] | [0,2,3,2]",
};

cn_tensor *cn_join_heads(cn_tensor *const *parts, int n, bool steps_first)
{
    const Join p = { steps_first };
    cn_tensor *in[MOST] = { NULL };
    memcpy(in, parts, (size_t)n * sizeof *in);
    return cn_apply1(&cn_op_join_heads, in, MOST, &p);
}
