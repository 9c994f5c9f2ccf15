/* brackets.c - x[1, 2:, ..., None, mask], read and written.

   Ints, slices, None and bools make a view, one after the other; tensors among the items then select
   from it, all at once, as `index` does. */
#include "ops/compose.h"

typedef struct {
    cn_tensor *seen;                   /* the view so far */
    cn_tensor *picks[2 * CN_MAX_DIMS]; /* of each of its dimensions; NULL: all of it */
    int dim;                           /* the one that the next item is about */
    int n_picks;                       /* up to the last tensor */
} Reading;

/* How many dimensions of the input an item takes: a mask as many as it has. */
static int taken_by(const cn_index_item *item, const cn_tensor *t)
{
    if (item->kind == CN_INDEX_AT || item->kind == CN_INDEX_SLICE) return 1;
    if (item->kind != CN_INDEX_TENSOR) return 0;
    return cn_is_mask(t) ? t->v.shape.ndim : 1;
}

/* The number of dimensions left to an ellipsis; -1 and an error when there are too many items. */
static int left_over(const cn_call *c, const cn_index *index)
{
    int nd = c->in[0]->v.shape.ndim, taken = 0, rests = 0;
    for (int i = 0, t = 1; i < index->n; i++) {
        taken += taken_by(&index->item[i], c->in[t]);
        t += index->item[i].kind == CN_INDEX_TENSOR;
        rests += index->item[i].kind == CN_INDEX_REST;
    }
    if (taken > nd)
        return cn_fail(CN_EINVALID, "%s: indices for %d dimensions of a tensor of %d", c->op->name,
                       taken, nd),
               -1;
    if (rests <= 1) return nd - taken;
    return cn_fail(CN_EINVALID, "%s: an index can only have one ellipsis", c->op->name), -1;
}

static cn_tensor *sliced(cn_tensor *t, int dim, const cn_index_item *item)
{
    int64_t start = item->has_start ? item->start : 0,
            stop = item->has_stop ? item->stop : INT64_MAX;
    bool whole = start == 0 && stop >= t->v.shape.dim[dim] && item->step == 1;
    return whole ? t : cn_slice(t, dim, start, stop, item->step);
}

/* A bool is a mask of no dimensions: one place along a new dimension, or none. */
static cn_tensor *flag_pick(bool on)
{
    return cn_zeros(CN_SHAPE(on), CN_I64);
}

static void pick(Reading *r, cn_tensor *t, int dims)
{
    r->picks[r->dim] = t;
    r->n_picks = r->dim + 1;
    r->dim += dims;
}

static void read_item(Reading *r, const cn_index_item *item, cn_tensor *t, int rest)
{
    switch ((cn_index_kind)item->kind) {
    case CN_INDEX_AT: r->seen = cn_select(r->seen, r->dim, item->start); break;
    case CN_INDEX_SLICE: r->seen = sliced(r->seen, r->dim++, item); break;
    case CN_INDEX_REST: r->dim += rest; break;
    case CN_INDEX_NEW: r->seen = cn_unsqueeze(r->seen, r->dim++); break;
    case CN_INDEX_FLAG:
        r->seen = cn_unsqueeze(r->seen, r->dim);
        pick(r, flag_pick(item->start != 0), 1);
        break;
    case CN_INDEX_TENSOR: pick(r, t, taken_by(item, t)); break;
    }
}

/* The call's inputs are the tensor, then the tensors of the index. */
static bool read_index(const cn_call *c, cn_tensor *input, Reading *r)
{
    const cn_index *index = c->params;
    int rest = left_over(c, index);
    *r = (Reading){ .seen = input };
    if (rest < 0) return false;
    for (int i = 0, t = 1; r->seen && i < index->n; i++) {
        read_item(r, &index->item[i], c->in[t], rest);
        t += index->item[i].kind == CN_INDEX_TENSOR;
    }
    return r->seen != NULL;
}

/* The inputs of index: what is seen and the picks; a mask stands for all its dimensions. */
static int index_inputs(const Reading *r, cn_tensor *in[])
{
    int n = 0;
    in[n++] = r->seen;
    for (int i = 0; i < r->n_picks; i++) {
        in[n++] = r->picks[i];
        if (r->picks[i] && cn_is_mask(r->picks[i]) && r->picks[i]->v.shape.ndim)
            i += r->picks[i]->v.shape.ndim - 1;
    }
    return n;
}

static cn_tensor *picked(const cn_call *c, cn_tensor *input)
{
    Reading r;
    cn_tensor *in[2 * CN_MAX_DIMS + 1];
    if (!read_index(c, input, &r)) return NULL;
    if (r.n_picks == 0) return r.seen;
    int n = index_inputs(&r, in);
    return cn_apply1(&cn_op_index, in, n, NULL);
}

static bool getitem_compose(cn_call *c)
{
    return cn_set_out(c, 0, picked(c, c->in[0]));
}

const cn_op cn_op_getitem = {
    CN_OP_HEAD(getitem, "__getitem__", "(Tensor input, Index indices) -> Tensor"),
    .doc =
        "input[indices]: ints, slices, ..., None and bools give a view, tensors and lists a copy.",
    .params_size = sizeof(cn_index),
    .compose = getitem_compose,
    .samples =
        "[4,3] {1 0:2} | [4,3] 2 | [5,3] {1::2} | [2,3,4] {... -1} | [2,3] {None ... None} | "
        "[4,3] {i64<4[2]} | [4,3] {: i64<3[2,2]} | [2,3,4] {i64<2[2] : i64<4[2]} | "
        "[2,3,4] {1 : i64<4[3]} | [4,3] {bool[4] 1:} | [2,3] {bool[2,3]} | [3] True | [3] {0 2} | "
        "[] {...} | [0,2] {: 1} | [2,3,4] {None i64<2[2] ... -3:-1}",
};

/* ---- written -------------------------------------------------------------------------------- */

/* value in the shape of what it replaces; ones before its dimensions fall away. */
static cn_tensor *fitted(cn_tensor *value, const cn_shape *shape)
{
    if (!value) return NULL;
    int extra = value->v.shape.ndim - shape->ndim;
    cn_shape s = value->v.shape;
    while (extra > 0 && s.dim[0] == 1) {
        s.ndim--, extra--;
        for (int i = 0; i < s.ndim; i++) s.dim[i] = s.dim[i + 1];
    }
    return cn_expand(s.ndim < value->v.shape.ndim ? cn_reshape(value, s) : value, *shape);
}

/* The flat positions of input[indices], in its shape. */
static cn_tensor *places(const cn_call *c)
{
    const cn_view *x = &c->in[0]->v;
    return picked(c, cn_reshape(cn_counting(x->numel), x->shape));
}

/* Through tensors only values of the input's type are put; through one mask any single value. */
static bool dtypes_agree(const cn_call *c, const cn_tensor *value)
{
    cn_dtype own = c->in[0]->v.dtype;
    bool mask = c->n_in == 3 && cn_is_mask(c->in[1]) && value->v.numel == 1;
    if (c->n_in == 2 || mask || value->is_number || value->v.dtype == own) return true;
    return cn_fail(CN_EINVALID, "__setitem__: the tensor is %s, the value %s; convert it with to",
                   cn_dtype_name(own), cn_dtype_name(value->v.dtype));
}

/* As a new tensor, in the ways that have gradients. */
static bool set_places_compose(cn_call *c)
{
    cn_tensor *t = c->in[0], *value = c->in[c->n_in - 1], *at = places(c);
    if (!at || !dtypes_agree(c, value)) return false;
    value = fitted(cn_to(value, t->v.dtype), &at->v.shape);
    cn_tensor *flat = cn_reshape(t, CN_SHAPE(t->v.numel));
    flat = cn_index_copy(flat, 0, cn_reshape(at, CN_SHAPE(at->v.numel)),
                         cn_reshape(value, CN_SHAPE(at->v.numel)));
    return cn_set_out(c, 0, cn_reshape(flat, t->v.shape));
}

const cn_op cn_op_set_places = {
    CN_OP_HEAD(set_places, "set_places",
               "(Tensor input, Index indices, Tensor|Scalar value) -> Tensor"),
    .doc = "A copy of input with value at input[indices]: what __setitem__ leaves behind.",
    .params_size = sizeof(cn_index),
    .compose = set_places_compose,
    .samples =
        "[4,3] {1 0:2} [2] | [5,3] {1::2} [1,2,3] | [2,3] {... -1} 1.5 | [4] {i64<4[1]} [1] | "
        "[2,3] {bool[2,3]} [] | [0,2] {: 1} [0] | [3] True [3]",
};

/* Straight into the view when no gradient looks and no tensor selects. */
static bool written_to_view(const cn_call *c, bool *done)
{
    cn_tensor *t = c->in[0], *value = c->in[c->n_in - 1];
    *done = c->n_in == 2 && !(cn_grad_enabled() && (t->requires_grad || value->requires_grad));
    if (!*done) return true;
    cn_tensor *part = picked(c, t);
    if (value->storage == t->storage) value = cn_clone(value);
    cn_tensor *fit = part && value ? fitted(value, &part->v.shape) : NULL;
    if (!fit || !cn_view_writable(&part->v, "__setitem__")) return false;
    cn_copy_view(&part->v, &fit->v);
    t->storage->version++;
    return true;
}

static bool setitem_compose(cn_call *c)
{
    bool done;
    if (!written_to_view(c, &done)) return false;
    return cn_set_out(
        c, 0, done ? c->in[0] : cn_apply_inplace(&cn_op_set_places, c->in, c->n_in, c->params));
}

const cn_op cn_op_setitem = {
    CN_OP_HEAD(setitem, "__setitem__",
               "(Tensor input, Index indices, Tensor|Scalar value) -> Tensor"),
    .doc = "input[indices] = value, in place; the value broadcasts and is converted.",
    .params_size = sizeof(cn_index),
    .flags = CN_NO_GRAD_OP, /* recorded all the same: set_places has the gradient */
    .compose = setitem_compose,
    .samples =
        "[4,3] {1 0:2} [2] | [5,3] {1::2} [1,2,3] | [2,3] {... -1} 1.5 | [4] {i64<4[1]} [1] | "
        "[2,3] {bool[2,3]} 2 | [0,2] {: 1} [0]",
};
