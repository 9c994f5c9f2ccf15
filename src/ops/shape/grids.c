/* grids.c - tensors spread over each other: grids, products, choices. */
#include "ops/compose.h"

#include <string.h>

/* ---- broadcast_tensors, meshgrid ----------------------------------------------------------- */

static bool broadcast_tensors_compose(cn_call *c)
{
    cn_shape s = { 0 };
    bool ok = cn_room_for(c, c->n_in);
    for (int i = 0; ok && i < c->n_in; i++)
        ok = cn_shape_broadcast(&s, &c->in[i]->v.shape, &s, "broadcast_tensors");
    for (int i = 0; ok && i < c->n_in; i++) ok = cn_set_out(c, i, cn_expand(c->in[i], s));
    return ok;
}

const cn_op cn_op_broadcast_tensors = {
    CN_OP_HEAD(broadcast_tensors, "broadcast_tensors", "(Tensor[] tensors) -> Tensor[]"),
    .doc = "All tensors expanded to the shape they broadcast to.",
    .compose = broadcast_tensors_compose,
    .samples = "{[2,1] [3] []} | {[2]}",
};

/* The shape of the grid whose axes are the inputs: vectors of one type. */
static bool grid_of(const cn_call *c, int least_dims, cn_shape *s)
{
    *s = (cn_shape){ .ndim = c->n_in };
    if (c->n_in < 1 || c->n_in > CN_MAX_DIMS)
        return cn_fail(CN_EINVALID, "%s: %d tensors, but 1 to %d are possible", c->op->name,
                       c->n_in, CN_MAX_DIMS);
    for (int i = 0; i < c->n_in; i++) {
        if (!cn_want_dims(c, i, least_dims, 1)) return false;
        if (c->in[i]->v.dtype != c->in[0]->v.dtype)
            return cn_fail(CN_EINVALID, "%s: the tensors are %s and %s, one dtype is wanted",
                           c->op->name, cn_dtype_name(c->in[0]->v.dtype),
                           cn_dtype_name(c->in[i]->v.dtype));
        s->dim[i] = c->in[i]->v.numel;
    }
    return true;
}

static bool meshgrid_compose(cn_call *c)
{
    const char *indexing = *(const char *const *)c->params;
    bool swap = indexing && strcmp(indexing, "xy") == 0;
    cn_shape s;
    if (indexing && !swap && strcmp(indexing, "ij") != 0)
        return cn_fail(CN_EINVALID, "meshgrid: indexing must be 'ij' or 'xy', not '%s'", indexing);
    if (!grid_of(c, 0, &s)) return false;
    swap &= c->n_in > 1;
    for (int i = 0; i < c->n_in; i++) {
        cn_tensor *y = cn_expand(cn_reshape(c->in[i], cn_shape_along(s.ndim, i, s.dim[i])), s);
        if (!cn_set_out(c, i, swap ? cn_transpose(y, 0, 1) : y)) return false;
    }
    return true;
}

const cn_op cn_op_meshgrid = {
    CN_OP_HEAD(meshgrid, "meshgrid", "(Tensor[] tensors, *, str indexing='ij') -> Tensor[]"),
    .doc = "The coordinates of every point of the grid with these axes.",
    .params_size = sizeof(char *),
    .compose = meshgrid_compose,
    .samples = "{[2] [3]} | {[2] [3] []} indexing=xy",
};

/* ---- cartesian_prod, combinations ---------------------------------------------------------- */

/* Every choice of one element of each: the rows run through the last input fastest. */
static bool cartesian_prod_compose(cn_call *c)
{
    cn_tensor *columns[CN_MAX_DIMS];
    cn_shape s;
    if (!grid_of(c, 1, &s)) return false;
    if (c->n_in == 1) return cn_set_out(c, 0, c->in[0]);
    int64_t rows;
    if (!cn_shape_numel(&s, &rows, "cartesian_prod")) return false;
    for (int i = 0; i < c->n_in; i++) {
        cn_tensor *line = cn_reshape(c->in[i], cn_shape_along(s.ndim, i, s.dim[i]));
        columns[i] = cn_reshape(cn_expand(line, s), CN_SHAPE(rows));
    }
    return cn_set_out(c, 0, cn_stack(columns, c->n_in, 1));
}

const cn_op cn_op_cartesian_prod = {
    CN_OP_HEAD(cartesian_prod, "cartesian_prod", "(Tensor[] tensors) -> Tensor"),
    .doc = "Every choice of one element from each vector, one choice per row.",
    .compose = cartesian_prod_compose,
    .samples = "{[2] [3]} | {[3]} | {[2] [0]} | {[2] [1] [2]}",
};

typedef struct {
    int64_t r;
    bool with_replacement;
} Combinations;

/* The choices follow each other in dictionary order: the last place that can rise does, and those
   after it start again. False: there is no next. */
static bool next_choice(int64_t *choice, int64_t r, int64_t n, bool again)
{
    int64_t i = r - 1;
    while (i >= 0 && choice[i] == (again ? n - 1 : n - r + i)) i--;
    if (i < 0) return false;
    choice[i]++;
    for (int64_t k = i + 1; k < r; k++) choice[k] = again ? choice[i] : choice[k - 1] + 1;
    return true;
}

/* (n + r - 1 over r), or (n over r); -1 when it overflows. */
static int64_t choices(int64_t n, int64_t r, bool again)
{
    int64_t top = again ? n + r - 1 : n, count = 1;
    if (top < r) return 0;
    for (int64_t i = 1; i <= r; i++) {
        if (__builtin_mul_overflow(count, top - r + i, &count)) return -1;
        count /= i;
    }
    return count;
}

static bool combinations_compose(cn_call *c)
{
    const Combinations *p = c->params;
    int64_t n = c->in[0]->v.numel, r = p->r;
    if (!cn_want_dims(c, 0, 1, 1)) return false;
    if (r < 0) return cn_fail(CN_EINVALID, "combinations: r is %lld", (long long)r);
    if (r == 0) return cn_set_out(c, 0, cn_empty(CN_SHAPE(0), c->in[0]->v.dtype));
    int64_t rows = n || !p->with_replacement ? choices(n, r, p->with_replacement) : 0;
    if (rows < 0) return cn_fail(CN_EINVALID, "combinations: more choices than can be counted");
    cn_tensor *index = cn_empty(CN_SHAPE(rows, r), CN_I64);
    if (!index) return false;
    int64_t *row = (int64_t *)(void *)index->v.data;
    for (int64_t k = 0; rows && k < r; k++) row[k] = p->with_replacement ? 0 : k;
    for (int64_t i = 1; i < rows; i++, row += r) {
        for (int64_t k = 0; k < r; k++) row[r + k] = row[k];
        next_choice(row + r, r, n, p->with_replacement);
    }
    cn_tensor *y = cn_index_select(c->in[0], 0, cn_reshape(index, CN_SHAPE(rows * r)));
    return cn_set_out(c, 0, cn_reshape(y, CN_SHAPE(rows, r)));
}

const cn_op cn_op_combinations = {
    CN_OP_HEAD(combinations, "combinations",
               "(Tensor input, int r=2, bool with_replacement=False) -> Tensor"),
    .doc = "Every choice of r elements of a vector, in order, one choice per row.",
    .params_size = sizeof(Combinations),
    .compose = combinations_compose,
    .samples = "[4] | [4] 3 | [3] 2 True | [2] 3",
};
