/* typed.c - functions for C of layers that have none beside their entries. */
#include "ops/compose.h"
#include "ops/params.h"

/* ---- convolution ------------------------------------------------------------------------------ */

/* One number serves for all three; 0 stands for `none`. */
static cn_ints three(const int64_t v[3], int64_t none)
{
    int64_t first = v[0] ? v[0] : none;
    return (cn_ints){ 3, { first, v[1] ? v[1] : first, v[2] ? v[2] : first } };
}

static cn_ints exactly(const int64_t v[3])
{
    return (cn_ints){ 3, { v[0], v[1], v[2] } };
}

static cn_ints one(int64_t v, int64_t none)
{
    return (cn_ints){ 1, { v ? v : none } };
}

cn_tensor *cn_conv3d_with(const cn_conv3d_args *a)
{
    cn_conv_params p = { three(a->stride, 1),
                         a->same ? (cn_ints){ .n = CN_PADDING_SAME } : exactly(a->padding),
                         three(a->dilation, 1), a->groups ? a->groups : 1 };
    return CN_CALL(conv3d, &p, a->input, a->weight, a->bias);
}

typedef struct {
    cn_ints stride, padding, output_padding;
    int64_t groups;
    cn_ints dilation;
} Transposed;

cn_tensor *cn_conv_transpose1d_with(const cn_conv_transpose1d_args *a)
{
    Transposed p = { one(a->stride, 1), one(a->padding, 0), one(a->output_padding, 0),
                     a->groups ? a->groups : 1, one(a->dilation, 1) };
    return CN_CALL(conv_transpose1d, &p, a->input, a->weight, a->bias);
}

cn_tensor *cn_conv_transpose3d_with(const cn_conv_transpose3d_args *a)
{
    Transposed p = { three(a->stride, 1), exactly(a->padding), exactly(a->output_padding),
                     a->groups ? a->groups : 1, three(a->dilation, 1) };
    return CN_CALL(conv_transpose3d, &p, a->input, a->weight, a->bias);
}

/* ---- sampling --------------------------------------------------------------------------------- */

static const char *interpolation_name(cn_interpolation mode, int spatial)
{
    switch (mode) {
    case CN_INTERPOLATE_NEAREST: return "nearest";
    case CN_INTERPOLATE_NEAREST_EXACT: return "nearest-exact";
    case CN_INTERPOLATE_LINEAR:
        return spatial == 1 ? "linear" : spatial == 2 ? "bilinear" : "trilinear";
    case CN_INTERPOLATE_BICUBIC: return "bicubic";
    case CN_INTERPOLATE_AREA: return "area";
    }
    return "?";
}

cn_tensor *cn_interpolate_with(const cn_interpolate_args *a)
{
    int spatial = a->input ? a->input->v.shape.ndim - 2 : 0;
    struct {
        cn_ints size;
        cn_floats scale;
        const char *mode;
        cn_opt_bool align_corners, recompute;
        bool antialias;
    } p = { cn_ints_of(&a->output),
            { .n = -1 },
            interpolation_name(a->mode, spatial),
            { 0 },
            { 0 },
            a->antialias };
    if (a->output.ndim == 0) p.size.n = -1;
    if (a->scale > 0) p.scale = (cn_floats){ .n = 1, .v = { a->scale } };
    if (a->align_corners) p.align_corners = (cn_opt_bool){ true, true };
    return CN_CALL(interpolate, &p, a->input);
}

cn_tensor *cn_grid_sample_with(const cn_grid_sample_args *a)
{
    static const char *const outside[] = { "zeros", "border", "reflection" };
    if ((unsigned)a->outside >= CN_COUNT(outside))
        return cn_fail(CN_EINVALID, "grid_sample: there is no padding %d", (int)a->outside), NULL;
    struct {
        const char *mode, *padding_mode;
        cn_opt_bool align_corners;
    } p = { interpolation_name(a->mode, 2), outside[a->outside], { true, a->align_corners } };
    if (a->mode == CN_INTERPOLATE_LINEAR) p.mode = "bilinear";
    return CN_CALL(grid_sample, &p, a->input, a->grid);
}

cn_tensor *cn_group_norm(cn_tensor *input, int64_t num_groups, cn_tensor *weight, cn_tensor *bias,
                         double eps)
{
    struct {
        int64_t num_groups;
        double eps;
    } p = { num_groups, eps };
    return CN_CALL(group_norm, &p, input, weight, bias);
}
