/* patches.c - the patches of pictures as columns, and pictures summed from columns: im2col and
   col2im, in PyTorch nn.functional.unfold and fold. Each is the transpose of the other. */
#include "ops/layers/spatial.h"

typedef struct {
    cn_ints kernel, dilation, padding, stride;
} Unfold;

typedef struct {
    cn_ints output_size;
    Unfold patches;
} Fold;

/* Where patches lie in a padded picture. */
typedef struct {
    int64_t height, width, rows, columns; /* of the picture; of the grid of patches */
} Grid;

static bool count_patches(const char *what, const Unfold *p, int i, int64_t size, int64_t *padded,
                          int64_t *count)
{
    int64_t kernel = p->kernel.v[i], stride = p->stride.v[i], dilation = p->dilation.v[i];
    if (p->padding.n != 2 || !cn_within(size, 1) || !cn_within(kernel, 1) ||
        !cn_within(stride, 1) || !cn_within(dilation, 1) || !cn_within(p->padding.v[i], 0))
        return cn_fail(CN_EINVALID,
                       "%s: size %lld, kernel_size %lld, stride %lld and dilation %lld must be at "
                       "least 1, padding at least 0",
                       what, (long long)size, (long long)kernel, (long long)stride,
                       (long long)dilation);
    *padded = size + 2 * p->padding.v[i];
    int64_t room = *padded - dilation * (kernel - 1) - 1;
    *count = room < 0 ? 0 : room / stride + 1;
    return *count > 0 || cn_fail(CN_EINVALID, "%s: a patch of %lld does not fit into %lld", what,
                                 (long long)(dilation * (kernel - 1) + 1), (long long)*padded);
}

static bool make_grid(const char *what, const Unfold *p, int64_t height, int64_t width, Grid *g)
{
    return count_patches(what, p, 0, height, &g->height, &g->rows) &&
           count_patches(what, p, 1, width, &g->width, &g->columns);
}

/* The places of all elements of all patches in the flat padded picture: a row for each element of
   a patch, a column for each patch. */
static cn_tensor *patch_places(const Unfold *p, const Grid *g)
{
    int64_t taps = p->kernel.v[0] * p->kernel.v[1], patches = g->rows * g->columns, n;
    if (__builtin_mul_overflow(taps, patches, &n)) n = INT64_MAX; /* refused by the next line */
    cn_tensor *places = cn_empty(CN_SHAPE(n), CN_I64);
    if (!places) return NULL;
    int64_t *to = (int64_t *)(void *)places->v.data;
    for (int64_t tap = 0; tap < taps; tap++) {
        int64_t down = tap / p->kernel.v[1] * p->dilation.v[0];
        int64_t right = tap % p->kernel.v[1] * p->dilation.v[1];
        for (int64_t r = 0; r < g->rows; r++)
            for (int64_t k = 0; k < g->columns; k++)
                *to++ = (r * p->stride.v[0] + down) * g->width + k * p->stride.v[1] + right;
    }
    return places;
}

/* Only N may be 0. */
static bool want_input(const cn_call *c, int dims)
{
    const cn_shape *s = &c->in[0]->v.shape;
    char text[128];
    if (!cn_want_dims(c, 0, dims, dims + 1)) return false;
    for (int i = s->ndim == dims ? 0 : 1; i < s->ndim; i++)
        if (s->dim[i] < 1)
            return cn_fail(CN_EINVALID, "%s: input %s is empty in more than the batch", c->op->name,
                           cn_shape_text(s, text));
    return true;
}

static bool im2col_compose(cn_call *c)
{
    const Unfold *p = c->params;
    Grid g;
    if (!want_input(c, 3)) return false;
    cn_shape s = c->in[0]->v.shape;
    int rows = s.ndim - 2, channels = s.ndim - 3;
    if (!make_grid(c->op->name, p, s.dim[rows], s.dim[rows + 1], &g)) return false;
    int64_t ph = p->padding.v[0], pw = p->padding.v[1];
    cn_tensor *x = cn_constant_pad_nd(c->in[0], CN_SHAPE(pw, pw, ph, ph), 0);
    if (!x) return false;
    cn_tensor *columns = cn_index_select(cn_flatten(x, rows), -1, patch_places(p, &g));
    s.ndim--;
    s.dim[channels] *= p->kernel.v[0] * p->kernel.v[1];
    s.dim[rows] = g.rows * g.columns;
    return cn_set_out(c, 0, columns ? cn_reshape(columns, s) : NULL);
}

static bool columns_fit(const cn_call *c, const Unfold *p, const Grid *g)
{
    const cn_shape *s = &c->in[0]->v.shape;
    int64_t taps = p->kernel.v[0] * p->kernel.v[1], patches = g->rows * g->columns;
    char text[128];
    return (s->dim[s->ndim - 2] % taps == 0 && s->dim[s->ndim - 1] == patches) ||
           cn_fail(CN_EINVALID,
                   "%s: input %s must have a multiple of %lld rows and %lld columns, one for each "
                   "patch",
                   c->op->name, cn_shape_text(s, text), (long long)taps, (long long)patches);
}

static bool col2im_compose(cn_call *c)
{
    const Fold *p = c->params;
    const Unfold *u = &p->patches;
    Grid g;
    if (!want_input(c, 2) ||
        !make_grid(c->op->name, u, p->output_size.v[0], p->output_size.v[1], &g) ||
        !columns_fit(c, u, &g))
        return false;
    cn_shape s = c->in[0]->v.shape, picture;
    int rows = s.ndim - 2;
    s.dim[rows] /= u->kernel.v[0] * u->kernel.v[1];
    s.dim[rows + 1] *= u->kernel.v[0] * u->kernel.v[1];
    picture = s;
    picture.dim[rows + 1] = g.height * g.width;
    cn_tensor *y = cn_index_add(cn_zeros(picture, c->in[0]->v.dtype), -1, patch_places(u, &g),
                                cn_reshape(c->in[0], s));
    picture.ndim++;
    picture.dim[rows + 1] = g.height, picture.dim[rows + 2] = g.width;
    int64_t ph = u->padding.v[0], pw = u->padding.v[1];
    if (y) y = cn_constant_pad_nd(cn_reshape(y, picture), CN_SHAPE(-pw, -pw, -ph, -ph), 0);
    return cn_set_out(c, 0, y);
}

#define PATCHES                                                                                    \
    "int[2] kernel_size, int[2] dilation=1, int[2] padding=0, int[2] stride=1) -> Tensor"

const cn_op cn_op_im2col = {
    CN_OP_HEAD(im2col, "nn.functional.unfold", "(Tensor input, " PATCHES),
    .doc = "The patches that a convolution would see, as columns: (N, C height width, patches).",
    .params_size = sizeof(Unfold),
    .compose = im2col_compose,
    .samples =
        "[2,2,3,4] 2 | [1,1,5,4] (2,3) (2,1) (1,0) (1,2) | [0,2,3,3] 2 | [2,3,3] 2 padding=1",
};

const cn_op cn_op_col2im = {
    CN_OP_HEAD(col2im, "nn.functional.fold", "(Tensor input, int[2] output_size, " PATCHES),
    .doc = "The sum of patches laid back to where unfold finds them.",
    .params_size = sizeof(Fold),
    .compose = col2im_compose,
    .samples = "[2,8,6] (3,4) 2 | [1,6,10] (5,4) (2,3) (2,1) (1,0) (1,1) | [4,16] 3 2 padding=1",
};
