/* interpolate.c - pictures resized, by sizes or by factors: interpolate and its old names upsample_..
   (D2L 14.10). */
#include "ops/layers/resize.h"

#include <math.h>
#include <string.h>

/* PyTorch's modes: which resize_along is meant, and the dimensions of the input it is for. */
static const struct {
    const char *name, *along;
    int least, most;
} modes[] = {
    { "nearest", "nearest", 3, 5 },  { "nearest-exact", "nearest-exact", 3, 5 },
    { "area", "area", 3, 5 },        { "linear", "linear", 3, 3 },
    { "bilinear", "linear", 4, 4 },  { "bicubic", "cubic", 4, 4 },
    { "trilinear", "linear", 5, 5 },
};

typedef struct {
    cn_ints size;
    cn_floats scale_factor;
    const char *mode;
    cn_opt_bool align_corners, recompute;
    bool antialias;
} Interpolate;

static int mode_of(const Interpolate *p, int ndim)
{
    for (int i = 0; p->mode && i < (int)CN_COUNT(modes); i++) {
        if (strcmp(modes[i].name, p->mode) != 0) continue;
        if (ndim >= modes[i].least && ndim <= modes[i].most) return i;
        cn_fail(CN_EINVALID, "interpolate: mode '%s' is not for an input with %d dimensions",
                p->mode, ndim);
        return -1;
    }
    cn_fail(CN_EINVALID, "interpolate: there is no mode '%s'", p->mode ? p->mode : "None");
    return -1;
}

static bool options_fit(const Interpolate *p, const char *along)
{
    bool averages = strcmp(along, "linear") == 0 || strcmp(along, "cubic") == 0;
    if (p->align_corners.given && !averages)
        return cn_fail(CN_EINVALID, "interpolate: align_corners is not for mode '%s'", p->mode);
    if (p->antialias && strcmp(p->mode, "bilinear") != 0 && strcmp(p->mode, "bicubic") != 0)
        return cn_fail(CN_EINVALID, "interpolate: antialias is for bilinear and bicubic, not '%s'",
                       p->mode);
    if ((p->size.n >= 0) == (p->scale_factor.n >= 0))
        return cn_fail(CN_EINVALID, "interpolate: either size or scale_factor must be given");
    if (p->recompute.given && p->recompute.value && p->size.n >= 0)
        return cn_fail(CN_EINVALID,
                       "interpolate: recompute_scale_factor is for scale_factor, not for size");
    return true;
}

/* One number serves for all dimensions. */
static bool count_fits(int64_t n, int spatial, const char *what)
{
    return n == 1 || n == spatial ||
           cn_fail(CN_EINVALID, "interpolate: %s has %lld entries for %d dimensions", what,
                   (long long)n, spatial);
}

static bool sizes_of(const Interpolate *p, const cn_shape *s, cn_resize_params out[3])
{
    int spatial = s->ndim - 2;
    bool sized = p->size.n >= 0;
    if (!count_fits(sized ? p->size.n : p->scale_factor.n, spatial,
                    sized ? "size" : "scale_factor"))
        return false;
    for (int i = 0; i < spatial; i++) {
        if (sized) {
            out[i].size = p->size.v[p->size.n == 1 ? 0 : i];
            continue;
        }
        double scale = p->scale_factor.v[p->scale_factor.n == 1 ? 0 : i];
        double size = floor((double)s->dim[i + 2] * scale);
        if (!(size >= 1 && size <= INT32_MAX))
            return cn_fail(CN_EINVALID, "interpolate: scale_factor %g of size %lld gives no size",
                           scale, (long long)s->dim[i + 2]);
        out[i].size = (int64_t)size;
        out[i].scale = p->recompute.given && p->recompute.value ? 0 : scale;
    }
    return true;
}

static cn_tensor *resize_all(cn_tensor *x, const cn_resize_params each[3], int spatial)
{
    for (int i = 0; x && i < spatial; i++) x = cn_resize_along(x, &each[i]);
    return x;
}

static bool interpolate(cn_call *c, const Interpolate *p)
{
    const cn_shape *s = &c->in[0]->v.shape;
    cn_resize_params each[3] = { 0 };
    int mode = mode_of(p, s->ndim);
    if (mode < 0 || !options_fit(p, modes[mode].along) || !sizes_of(p, s, each)) return false;
    for (int i = 0; i < s->ndim - 2; i++) {
        each[i].dim = i + 2;
        each[i].mode = modes[mode].along;
        each[i].align_corners = p->align_corners.given && p->align_corners.value;
        each[i].smooth = p->antialias;
    }
    return cn_set_out(c, 0, resize_all(c->in[0], each, s->ndim - 2));
}

static bool interpolate_compose(cn_call *c)
{
    return interpolate(c, c->params);
}

const cn_op cn_op_interpolate = {
    CN_OP_HEAD(interpolate, "nn.functional.interpolate",
               "(Tensor input, int[]? size=None, float[]? scale_factor=None, str mode='nearest', "
               "bool? align_corners=None, bool? recompute_scale_factor=None, bool "
               "antialias=False) -> Tensor"),
    .doc = "The dimensions after the first two resized to size, or by scale_factor: nearest, "
           "nearest-exact, linear, bilinear, bicubic, trilinear or area (D2L 14.10).",
    .params_size = sizeof(Interpolate),
    .compose = interpolate_compose,
    .samples = "[1,2,3] 5 | [1,2,3,4] (5,3) mode=bilinear | [1,1,4,4] scale_factor=1.7 "
               "mode=bicubic | [1,1,2,3,2] 4 mode=trilinear align_corners=True | [1,1,5,4] (2,3) "
               "mode=area | [1,1,5,4] (2,6) mode=bilinear antialias=True | [2,1,4] "
               "scale_factor=2.5 mode=linear recompute_scale_factor=True | [1,1,4] 7 "
               "mode=nearest-exact",
};

/* ---- the names of old ---------------------------------------------------------------------- */

typedef struct {
    cn_ints size;
    cn_floats scale_factor;
    const char *mode;
    cn_opt_bool align_corners;
} Upsample;

static bool upsample_compose(cn_call *c)
{
    const Upsample *p = c->params;
    Interpolate q = {
        p->size, p->scale_factor, p->mode, p->align_corners, { false, false }, false
    };
    return interpolate(c, &q);
}

const cn_op cn_op_upsample = {
    CN_OP_HEAD(upsample, "nn.functional.upsample",
               "(Tensor input, int[]? size=None, float[]? scale_factor=None, str mode='nearest', "
               "bool? align_corners=None) -> Tensor"),
    .doc = "interpolate, under its old name.",
    .params_size = sizeof(Upsample),
    .compose = upsample_compose,
    .samples = "[1,2,3] 5 | [1,1,2,3] scale_factor=2.0 mode=bilinear",
};

typedef struct {
    cn_ints size;
    cn_floats scale_factor;
} Sizes;

static bool upsample_nearest_compose(cn_call *c)
{
    const Sizes *p = c->params;
    Interpolate q = {
        p->size, p->scale_factor, "nearest", { false, false }, { false, false }, false
    };
    return interpolate(c, &q);
}

static bool upsample_bilinear_compose(cn_call *c)
{
    const Sizes *p = c->params;
    Interpolate q = {
        p->size, p->scale_factor, "bilinear", { true, true }, { false, false }, false
    };
    return interpolate(c, &q);
}

#define OLD(ident, text)                                                                           \
    CN_OP_HEAD(ident, "nn.functional." #ident,                                                     \
               "(Tensor input, int[]? size=None, float[]? scale_factor=None) -> Tensor"),          \
        .doc = text, .params_size = sizeof(Sizes), .compose = ident##_compose,                     \
        .samples = "[1,2,3,2] (5,4) | [1,1,2,3] scale_factor=2.0"

const cn_op cn_op_upsample_nearest = { OLD(upsample_nearest, "interpolate with mode nearest.") };
const cn_op cn_op_upsample_bilinear = { OLD(upsample_bilinear,
                                            "interpolate with mode bilinear, corners aligned.") };
