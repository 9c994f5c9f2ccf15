/* treduce.c - y_k = sum_ij W_ijk x_ij (D2L 6.5). */
#include "book/book.h"

enum { B = 4, I = 3, J = 2, K = 5 };

typedef struct {
    int64_t i, j, k;
} Reduce;

static bool reduce_build(cn_module *m, const cn_shape *input)
{
    const Reduce *o = cn_module_options(m);
    (void)input;
    return cn_module_parameter(m, "weight", &CN_SHAPE(o->i, o->j, o->k)) &&
           cn_copy_(cn_detach(cn_module_slot(m, "weight")),
                    cn_randn(CN_SHAPE(o->i, o->j, o->k), CN_F32));
}

/* All pairs i, j in one row: a matrix product. */
static bool reduce_forward(cn_module *m, cn_io *io)
{
    const Reduce *o = cn_module_options(m);
    cn_tensor *weight = cn_reshape(cn_module_slot(m, "weight"), CN_SHAPE(o->i * o->j, o->k));
    io->out[0] = cn_matmul(cn_flatten(io->in[0], 1), weight);
    return io->out[0] != NULL;
}

static const cn_module_class reduce_class = {
    .size = sizeof(cn_module_class),
    .name = "TensorReduction",
    .options_size = sizeof(Reduce),
    .build = reduce_build,
    .forward = reduce_forward,
};

static cn_module *reduce(int64_t i, int64_t j, int64_t k)
{
    return cn_module_of(&reduce_class, &(Reduce){ i, j, k });
}

static void run(Lab *lab)
{
    cn_module *layer = reduce(I, J, K);
    cn_tensor *w = cn_module_slot(layer, "weight"),
              *x = cn_requires_grad(cn_randn(CN_SHAPE(B, I, J), CN_F32), true);
    cn_tensor *y = cn_forward(layer, x);
    lab_shape(lab, "(b, i, j) becomes (b, k)", y, CN_SHAPE(B, K));

    /* By its definition, sum by sum. */
    float wide[I * J * K], xs[B * I * J];
    double sums[B * K] = { 0 };
    if (!cn_read(w, CN_F32, wide, I * J * K) || !cn_read(x, CN_F32, xs, B * I * J)) return;
    for (int b = 0; b < B; b++)
        for (int i = 0; i < I; i++)
            for (int j = 0; j < J; j++)
                for (int k = 0; k < K; k++)
                    sums[b * K + k] +=
                        (double)wide[(i * J + j) * K + k] * (double)xs[(b * I + i) * J + j];
    lab_same(lab, "y_k, and the sum over i and j of W_ijk x_ij", y,
             cn_from(sums, CN_SHAPE(B, K), CN_F64), 1e-5);
    cn_tensor *operands[] = { x, w };
    lab_same(lab, "and einsum", y, cn_einsum("bij,ijk->bk", operands, 2), 1e-5);

    /* It is linear: dL/dW_ijk = sum over b of x_ij g_k, dL/dx_ij = sum over k of W_ijk g_k. */
    cn_tensor *g = cn_randn(CN_SHAPE(B, K), CN_F32);
    cn_backward_of(&y, &g, 1, NULL);
    cn_tensor *for_w[] = { x, g }, *for_x[] = { w, g };
    lab_same(lab, "the gradient of W", cn_grad(w), cn_einsum("bij,bk->ijk", for_w, 2), 1e-5);
    lab_same(lab, "the gradient of x", cn_grad(x), cn_einsum("ijk,bk->bij", for_x, 2), 1e-5);

    /* The quadratic form of the exercise: with x_ij = u_i u_j it gives u^T W_k u. */
    cn_tensor *u = cn_randn(CN_SHAPE(I), CN_F32),
              *square = cn_unsqueeze(cn_outer(u, cn_narrow(u, 0, 0, J)), 0);
    cn_tensor *form = cn_dot(u, cn_mv(cn_select(w, 2, 1), cn_narrow(u, 0, 0, J)));
    lab_number(lab, "u^T W_1 u", cn_at(cn_forward(layer, square), CN_SHAPE(0, 1)), cn_item(form),
               1e-4);
    cn_module_free(layer);
}

const Experiment experiment_c05_treduce = {
    .id = "C05-TREDUCE",
    .title = "A layer that reduces a tensor",
    .title_zh = "张量降维层",
    .section = "6.5",
    .run = run,
};
