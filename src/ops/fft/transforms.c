/* transforms.c - the Fourier transforms of torch.fft, forward and inverse, of complex and real numbers.

   A real signal has the spectrum of which one half is the conjugate of the other: rfft leaves the
   second half out, irfft takes it into account by counting the first one twice. */
#include "ops/fft/transform.h"

#include <string.h>

typedef cn_fft_line Line;

typedef struct {
    cn_ints s, dim;
    const char *norm;
} Grid;

typedef enum { COMPLEX, FROM_REAL, TO_REAL } Kind;

/* The dimensions to transform, counted from 0, and their sizes in the complex domain of the longer side;
   -1: as it is. */
typedef struct {
    Kind kind;
    bool forward;
    int64_t scale;
    int n, dim[CN_MAX_DIMS];
    int64_t size[CN_MAX_DIMS];
} Axes;

/* ---- arguments ----------------------------------------------------------------------------- */

/* "backward" (and none) scales the inverse by 1 / n, "forward" the other, "ortho" both by the root. */
static bool read_norm(const cn_call *c, const char *norm, Axes *a)
{
    bool inverse = !norm || strcmp(norm, "backward") == 0;
    if (!inverse && strcmp(norm, "ortho") != 0 && strcmp(norm, "forward") != 0)
        return cn_fail(CN_EINVALID, "%s: norm is 'backward', 'ortho' or 'forward', not '%s'",
                       c->op->name, norm);
    bool scaled = inverse ? !a->forward : a->forward;
    a->scale = norm && strcmp(norm, "ortho") == 0 ? CN_FFT_BY_ROOT
               : scaled                           ? CN_FFT_BY_N
                                                  : CN_FFT_UNSCALED;
    return true;
}

static bool add_axis(const cn_call *c, int64_t dim, int64_t size, Axes *a)
{
    int nd = c->in[0]->v.shape.ndim, d = nd ? cn_wrap_dim(dim, nd, c->op->name) : -1;
    if (nd == 0)
        return cn_fail(CN_EINVALID, "%s: a 0-d tensor has no dimension to transform", c->op->name);
    if (d < 0) return false;
    for (int i = 0; i < a->n; i++)
        if (a->dim[i] == d) return cn_fail(CN_EINVALID, "%s: dim %d appears twice", c->op->name, d);
    a->dim[a->n] = d, a->size[a->n++] = size;
    return true;
}

static bool read_line(const cn_call *c, Axes *a)
{
    const Line *p = c->params;
    if (p->n.given && p->n.value < 1)
        return cn_fail(CN_EINVALID, "%s: n is %lld, but a transform has at least 1 number",
                       c->op->name, (long long)p->n.value);
    return read_norm(c, p->norm, a) && add_axis(c, p->dim, p->n.given ? p->n.value : -1, a);
}

/* Without dim the last ones, as many as there are sizes; without either all. */
static bool read_grid(const cn_call *c, Axes *a)
{
    const Grid *p = c->params;
    int nd = c->in[0]->v.shape.ndim;
    int64_t n = p->dim.n >= 0 ? p->dim.n : p->s.n >= 0 ? p->s.n : nd;
    if (!read_norm(c, p->norm, a)) return false;
    if (n > nd || (p->s.n >= 0 && p->s.n != n))
        return cn_fail(CN_EINVALID, "%s: %lld sizes for %lld of %d dimensions", c->op->name,
                       (long long)p->s.n, (long long)n, nd);
    for (int i = 0; i < n; i++)
        if (!add_axis(c, p->dim.n >= 0 ? p->dim.v[i] : nd - n + i, p->s.n >= 0 ? p->s.v[i] : -1, a))
            return false;
    return n > 0 || a->kind == COMPLEX ||
           cn_fail(CN_EINVALID, "%s: at least one dimension is wanted", c->op->name);
}

/* ---- transforms ---------------------------------------------------------------------------- */

/* t cut or filled up with zeros to `size` along dim; -1: itself. */
static cn_tensor *resized(const cn_call *c, cn_tensor *t, int dim, int64_t size)
{
    if (!t) return NULL;
    int64_t now = t->v.shape.dim[dim];
    if (size == -1) size = now;
    if (size < 1) {
        cn_fail(CN_EINVALID, "%s: %lld is no size of a transform", c->op->name, (long long)size);
        return NULL;
    }
    if (size <= now) return size == now ? t : cn_narrow(t, dim, 0, size);
    cn_shape margins = { .ndim = 2 * (t->v.shape.ndim - dim) };
    margins.dim[margins.ndim - 1] = size - now;
    return cn_constant_pad_nd(t, margins, 0);
}

static cn_tensor *c2c(const Axes *a, cn_tensor *t, int first, int last)
{
    cn_fft_params p = { .dim.n = last - first, .scale = a->scale, .forward = a->forward };
    for (int i = first; i < last; i++) p.dim.v[i - first] = a->dim[i];
    return last > first ? CN_CALL(fft_c2c, &p, t) : t;
}

/* Inner frequencies count twice: their mirror images are left out. */
static cn_tensor *doubled(cn_tensor *t, int dim, int64_t n)
{
    if (!t) return NULL;
    cn_tensor *weight =
        cn_full(cn_shape_along(t->v.shape.ndim, dim, n / 2 + 1), 2, cn_dtype_real_of(t->v.dtype));
    if (!weight) return NULL;
    cn_store_f64(weight->v.data, weight->v.dtype, 1);
    if (n % 2 == 0)
        cn_store_f64(weight->v.data + n / 2 * (int64_t)cn_dtype_size(weight->v.dtype),
                     weight->v.dtype, 1);
    return cn_mul(t, weight);
}

static cn_tensor *to_real(const cn_call *c, const Axes *a, cn_tensor *t)
{
    int last = a->n - 1, dim = a->dim[last];
    int64_t n = a->size[last] == -1 ? 2 * (t->v.shape.dim[dim] - 1) : a->size[last];
    if (n < 1) {
        cn_fail(CN_EINVALID, "%s: %lld is no size of a transform", c->op->name, (long long)n);
        return NULL;
    }
    t = c2c(a, resized(c, t, dim, n / 2 + 1), 0, last);
    return cn_real(c2c(a, resized(c, doubled(t, dim, n), dim, n), last, last + 1));
}

static cn_tensor *from_real(const Axes *a, cn_tensor *t)
{
    int last = a->n - 1, dim = a->dim[last];
    t = c2c(a, t, last, last + 1);
    return t ? c2c(a, cn_narrow(t, dim, 0, t->v.shape.dim[dim] / 2 + 1), 0, last) : NULL;
}

static cn_tensor *as_complex(const cn_call *c)
{
    cn_dtype d = c->in[0]->v.dtype;
    if (d != CN_F16 && d != CN_BF16)
        return cn_to(c->in[0], cn_dtype_is_graded(d) ? cn_dtype_complex_of(d) : CN_C64);
    cn_fail(CN_EUNSUPPORTED, "%s: not defined for %s; convert it to float32", c->op->name,
            cn_dtype_name(d));
    return NULL;
}

static bool transform(cn_call *c, Kind kind, bool forward, bool (*read)(const cn_call *, Axes *))
{
    Axes a = { .kind = kind, .forward = forward };
    if (!read(c, &a)) return false;
    if (kind == FROM_REAL && cn_dtype_is_complex(c->in[0]->v.dtype))
        return cn_fail(CN_EINVALID, "%s: real numbers are wanted, not %s", c->op->name,
                       cn_dtype_name(c->in[0]->v.dtype));
    cn_tensor *t = as_complex(c);
    for (int i = 0; i < a.n - (kind == TO_REAL); i++) t = resized(c, t, a.dim[i], a.size[i]);
    if (!t) return false;
    return cn_set_out(c, 0,
                      kind == COMPLEX     ? c2c(&a, t, 0, a.n)
                      : kind == FROM_REAL ? from_real(&a, t)
                                          : to_real(c, &a, t));
}

#define TRANSFORM(ident, type, arguments, read, kind, forward, text, cases)                        \
    static bool ident##_compose(cn_call *c)                                                        \
    {                                                                                              \
        return transform(c, kind, forward, read);                                                  \
    }                                                                                              \
    const cn_op cn_op_fft_##ident = {                                                              \
        CN_OP_HEAD(fft_##ident, "fft." #ident, arguments),                                         \
        .doc = text,                                                                               \
        .params_size = sizeof(type),                                                               \
        .compose = ident##_compose,                                                                \
        .samples = cases,                                                                          \
    }

#define LINE "(Tensor input, int? n=None, int dim=-1, str? norm=None) -> Tensor"
#define PLANE "(Tensor input, int[]? s=None, int[]? dim=(-2,-1), str? norm=None) -> Tensor"
#define GRID "(Tensor input, int[]? s=None, int[]? dim=None, str? norm=None) -> Tensor"

#define LINE_SAMPLES(x)                                                                            \
    x "[6] | " x "[2,5] | " x "[7,2] 4 0 | " x "[3] 8 | " x "[2,4] norm=ortho | " x                \
      "[4] None -1 forward"
#define PLANE_SAMPLES(x) x "[3,4] | " x "[2,3,5] (4,3) | " x "[3,2,4] None (0,1) norm=ortho"
#define GRID_SAMPLES(x) x "[3,4] | " x "[2,3,2] (4,) | " x "[3,2,4] (2,3) (0,2) norm=forward"

TRANSFORM(fft, Line, LINE, read_line, COMPLEX, true,
          "The discrete Fourier transform along dim, of n numbers: cut or filled up with zeros.",
          LINE_SAMPLES("c") " | [4] | i64<9[3]");
TRANSFORM(ifft, Line, LINE, read_line, COMPLEX, false, "The inverse of fft.fft.",
          LINE_SAMPLES("c") " | [4]");
TRANSFORM(rfft, Line, LINE, read_line, FROM_REAL, true,
          "The first n / 2 + 1 numbers of the discrete Fourier transform of n reals.",
          LINE_SAMPLES("") " | [1] | i64<9[3]");
TRANSFORM(irfft, Line, LINE, read_line, TO_REAL, false,
          "The inverse of fft.rfft: n reals, 2 (size - 1) unless told.",
          LINE_SAMPLES("c") " | [4] 5 | c[1] 1");
TRANSFORM(hfft, Line, LINE, read_line, TO_REAL, true,
          "The real transform of a signal of which the given half determines the other.",
          LINE_SAMPLES("c") " | c[4] 5");
TRANSFORM(ihfft, Line, LINE, read_line, FROM_REAL, false, "The inverse of fft.hfft.",
          LINE_SAMPLES(""));
TRANSFORM(fft2, Grid, PLANE, read_grid, COMPLEX, true, "fft.fft along two dimensions.",
          PLANE_SAMPLES("c"));
TRANSFORM(ifft2, Grid, PLANE, read_grid, COMPLEX, false, "The inverse of fft.fft2.",
          PLANE_SAMPLES("c"));
TRANSFORM(rfft2, Grid, PLANE, read_grid, FROM_REAL, true,
          "fft.rfft along the last of two dimensions, fft.fft along the other.", PLANE_SAMPLES(""));
TRANSFORM(irfft2, Grid, PLANE, read_grid, TO_REAL, false, "The inverse of fft.rfft2.",
          PLANE_SAMPLES("c"));
TRANSFORM(fftn, Grid, GRID, read_grid, COMPLEX, true,
          "fft.fft along several dimensions; none given: all.", GRID_SAMPLES("c"));
TRANSFORM(ifftn, Grid, GRID, read_grid, COMPLEX, false, "The inverse of fft.fftn.",
          GRID_SAMPLES("c"));
TRANSFORM(rfftn, Grid, GRID, read_grid, FROM_REAL, true,
          "fft.rfft along the last of several dimensions, fft.fft along the others.",
          GRID_SAMPLES(""));
TRANSFORM(irfftn, Grid, GRID, read_grid, TO_REAL, false, "The inverse of fft.rfftn.",
          GRID_SAMPLES("c"));

/* ---- in C ---------------------------------------------------------------------------------- */

static const Line whole_line = { .dim = -1 };

cn_tensor *cn_fft(cn_tensor *input)
{
    return CN_CALL(fft_fft, &whole_line, input);
}

cn_tensor *cn_ifft(cn_tensor *input)
{
    return CN_CALL(fft_ifft, &whole_line, input);
}

cn_tensor *cn_rfft(cn_tensor *input)
{
    return CN_CALL(fft_rfft, &whole_line, input);
}

cn_tensor *cn_irfft(cn_tensor *input, int64_t n)
{
    Line line = { .n = { n > 0, n }, .dim = -1 };
    return CN_CALL(fft_irfft, &line, input);
}
