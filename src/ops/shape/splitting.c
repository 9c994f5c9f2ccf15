/* splitting.c - all parts of a tensor along one dimension, as views. */
#include "ops/compose.h"

/* Changes in place of such views are not recorded: PyTorch's rule. tensor_split and its kin are free of it. */
static cn_tensor *one_of_many(cn_tensor *view)
{
    if (view) view->fixed = CN_ONE_OF_MANY;
    return view;
}

static bool unbind_compose(cn_call *c)
{
    const cn_shape *s = &c->in[0]->v.shape;
    if (!cn_want_dims(c, 0, 1, CN_MAX_DIMS)) return false;
    int dim = cn_wrap_dim(*(const int64_t *)c->params, s->ndim, "unbind");
    bool ok = dim >= 0 && cn_room_for(c, s->dim[dim]);
    for (int64_t i = 0; ok && i < s->dim[dim]; i++)
        ok = cn_set_out(c, (int)i, one_of_many(cn_select(c->in[0], dim, i)));
    return ok;
}

const cn_op cn_op_unbind = {
    CN_OP_HEAD(unbind, "unbind", "(Tensor input, int dim=0) -> Tensor[]"),
    .doc = "The slices along dim, without that dimension.",
    .params_size = sizeof(int64_t),
    .compose = unbind_compose,
    .samples = "[4,3] | [4,3] dim=-1 | [0,2] 1",
};

/* ---- the four ways to cut ------------------------------------------------------------------ */

/* count parts of this size; what is left goes to the last one, which may be smaller. */
static bool cut_by_size(cn_call *c, int dim, int64_t size)
{
    int64_t n = c->in[0]->v.shape.dim[dim], count = n && size > 0 ? (n - 1) / size + 1 : 1;
    if (size < 0 || (size == 0 && n))
        return cn_fail(CN_EINVALID, "%s: parts of size %lld", c->op->name, (long long)size);
    bool ok = cn_room_for(c, count);
    for (int64_t i = 0; ok && i < count; i++) {
        int64_t first = i * size, length = n - first < size ? n - first : size;
        ok = cn_set_out(c, (int)i, one_of_many(cn_narrow(c->in[0], dim, first, length)));
    }
    return ok;
}

/* One part for each number of a list. */
static bool cut_by_sizes(cn_call *c, int dim, const cn_tensor *sizes)
{
    const int64_t *size = (const int64_t *)(const void *)sizes->v.data;
    int64_t first = 0, n = c->in[0]->v.shape.dim[dim];
    bool ok = cn_room_for(c, sizes->v.numel);
    for (int64_t i = 0; ok && i < sizes->v.numel; first += size[i++])
        ok = cn_set_out(c, (int)i, one_of_many(cn_narrow(c->in[0], dim, first, size[i])));
    if (!ok || first == n) return ok;
    return cn_fail(CN_EINVALID, "%s: the parts have %lld elements together, dimension %d has %lld",
                   c->op->name, (long long)first, dim, (long long)n);
}

/* count parts, the first n % count of them one larger than the others. */
static bool cut_evenly(cn_call *c, int dim, int64_t count)
{
    if (count < 1) return cn_fail(CN_EINVALID, "%s: %lld sections", c->op->name, (long long)count);
    int64_t n = c->in[0]->v.shape.dim[dim], first = 0;
    bool ok = cn_room_for(c, count);
    for (int64_t i = 0; ok && i < count; i++) {
        int64_t length = n / count + (i < n % count);
        ok = cn_set_out(c, (int)i, cn_narrow(c->in[0], dim, first, length));
        first += length;
    }
    return ok;
}

/* Before the first index, between each and the next, after the last: as slices, which are cut to
   what there is. */
static bool cut_at(cn_call *c, int dim, const cn_tensor *indices)
{
    const int64_t *at = (const int64_t *)(const void *)indices->v.data;
    int64_t n = indices->v.numel, from = 0;
    bool ok = cn_room_for(c, n + 1);
    for (int64_t i = 0; ok && i <= n; i++) {
        int64_t to = i < n ? at[i] : INT64_MAX;
        ok = cn_set_out(c, (int)i, cn_slice(c->in[0], dim, from, to, 1));
        from = to;
    }
    return ok;
}

/* The dimension to cut; -1 and an error when there is none. */
static int cut_dim(const cn_call *c, int64_t dim)
{
    if (!cn_want_dims(c, 0, 1, CN_MAX_DIMS)) return -1;
    return cn_wrap_dim(dim, c->in[0]->v.shape.ndim, c->op->name);
}

/* An int[*], contiguous: the lists are read as they lie. */
static cn_tensor *list_of(const cn_call *c)
{
    cn_tensor *t = cn_rows(c->in[1]);
    if (!t || t->v.shape.ndim <= 1) return t;
    cn_fail(CN_EINVALID, "%s: the list has %d dimensions", c->op->name, t->v.shape.ndim);
    return NULL;
}

static int64_t only_number(const cn_tensor *t)
{
    return *(const int64_t *)(const void *)t->v.data;
}

/* ---- split, chunk -------------------------------------------------------------------------- */

static bool split_compose(cn_call *c)
{
    int dim = cut_dim(c, *(const int64_t *)c->params);
    cn_tensor *sizes = dim < 0 ? NULL : list_of(c);
    if (!sizes) return false;
    bool one = sizes->v.shape.ndim == 0 && c->op == &cn_op_split;
    return one ? cut_by_size(c, dim, only_number(sizes)) : cut_by_sizes(c, dim, sizes);
}

const cn_op cn_op_split = {
    CN_OP_HEAD(split, "split",
               "(Tensor input, int[*] split_size_or_sections, int dim=0) -> Tensor[]"),
    .aliases = "unsafe_split",
    .doc = "Parts along dim, of one size (the last may be smaller) or of the sizes listed.",
    .params_size = sizeof(int64_t),
    .compose = split_compose,
    .samples = "[5,3] 2 | [4,3] (1,3) | [2,4] 4 dim=-1 | [0,2] 2 | [3] (3,)",
};

const cn_op cn_op_split_with_sizes = {
    CN_OP_HEAD(split_with_sizes, "split_with_sizes",
               "(Tensor input, int[*] split_sizes, int dim=0) -> Tensor[]"),
    .aliases = "unsafe_split_with_sizes",
    .doc = "Parts of the sizes listed along dim.",
    .params_size = sizeof(int64_t),
    .compose = split_compose,
    .samples = "[4,3] (1,3) | [2,4] (4,) dim=-1",
};

typedef struct {
    int64_t chunks, dim;
} Chunk;

static bool chunk_compose(cn_call *c)
{
    const Chunk *p = c->params;
    int dim = cut_dim(c, p->dim);
    if (dim < 0) return false;
    if (p->chunks < 1) return cn_fail(CN_EINVALID, "chunk: %lld chunks", (long long)p->chunks);
    int64_t n = c->in[0]->v.shape.dim[dim];
    return n ? cut_by_size(c, dim, (n - 1) / p->chunks + 1) : cut_evenly(c, dim, p->chunks);
}

const cn_op cn_op_chunk = {
    CN_OP_HEAD(chunk, "chunk", "(Tensor input, int chunks, int dim=0) -> Tensor[]"),
    .aliases = "unsafe_chunk",
    .doc =
        "At most `chunks` parts of equal size along dim, the last one smaller where it does not divide.",
    .params_size = sizeof(Chunk),
    .compose = chunk_compose,
    .samples = "[5,3] 2 | [2,6] 3 dim=-1 | [2] 4",
};

int cn_split(cn_tensor *input, int64_t size, int dim, cn_tensor *parts[], int room)
{
    if (!input) return -1;
    cn_call c = { .op = &cn_op_split, .n_in = 1, .in = &input, .out = parts, .n_out = room };
    int d = cut_dim(&c, dim);
    if (d < 0 || !cut_by_size(&c, d, size)) return -1;
    int64_t n = input->v.shape.dim[d];
    return n ? (int)((n - 1) / size) + 1 : 1;
}

/* ---- tensor_split and its kin -------------------------------------------------------------- */

static bool split_at_compose(cn_call *c)
{
    int dim = cut_dim(c, *(const int64_t *)c->params);
    cn_tensor *where = dim < 0 ? NULL : list_of(c);
    if (!where) return false;
    return where->v.shape.ndim ? cut_at(c, dim, where) : cut_evenly(c, dim, only_number(where));
}

const cn_op cn_op_tensor_split = {
    CN_OP_HEAD(tensor_split, "tensor_split",
               "(Tensor input, int[*] indices_or_sections, int dim=0) -> Tensor[]"),
    .doc = "That many parts along dim, as equal as can be, or the parts between these indices.",
    .params_size = sizeof(int64_t),
    .compose = split_at_compose,
    .samples = "[5,3] 2 | [4,3] (1,3) | [2,4] 3 dim=-1 | [2] 4 | [5] (2,-1,9)",
};

/* tensor_split along a dimension of its own; sections must be equal. */
static bool split_along(cn_call *c, int dim, int least)
{
    if (!cn_want_dims(c, 0, least, CN_MAX_DIMS)) return false;
    cn_tensor *where = list_of(c);
    if (!where) return false;
    if (where->v.shape.ndim) return cut_at(c, dim, where);
    int64_t n = c->in[0]->v.shape.dim[dim], count = only_number(where);
    if (count > 0 && n % count == 0) return cut_evenly(c, dim, count);
    return cn_fail(CN_EINVALID, "%s: dimension %d of size %lld has no %lld equal parts",
                   c->op->name, dim, (long long)n, (long long)count);
}

static bool hsplit_compose(cn_call *c)
{
    return split_along(c, c->in[0]->v.shape.ndim > 1, 1);
}

static bool vsplit_compose(cn_call *c)
{
    return split_along(c, 0, 2);
}

static bool dsplit_compose(cn_call *c)
{
    return split_along(c, 2, 3);
}

const cn_op cn_op_hsplit = {
    CN_OP_HEAD(hsplit, "hsplit", "(Tensor input, int[*] indices_or_sections) -> Tensor[]"),
    .doc = "tensor_split into equal parts along dimension 1, of vectors along 0.",
    .compose = hsplit_compose,
    .samples = "[2,4] 2 | [4] (1,3) | [2,3,2] (1,)",
};

const cn_op cn_op_vsplit = {
    CN_OP_HEAD(vsplit, "vsplit", "(Tensor input, int[*] indices_or_sections) -> Tensor[]"),
    .doc = "tensor_split into equal parts along dimension 0.",
    .compose = vsplit_compose,
    .samples = "[4,3] 2 | [4,3] (1,3)",
};

const cn_op cn_op_dsplit = {
    CN_OP_HEAD(dsplit, "dsplit", "(Tensor input, int[*] indices_or_sections) -> Tensor[]"),
    .doc = "tensor_split into equal parts along dimension 2.",
    .compose = dsplit_compose,
    .samples = "[2,1,4] 2 | [1,2,4] (1,3)",
};
