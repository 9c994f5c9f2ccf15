/* bind_steps.c - the steps of recurrent layers, by weights that are packed once for all of them. */
#include "backends/simd/bind.h"
#include "core/packed.h"
#include "ops/recurrent.h"

static const cn_simd_layer layers[] = { [CN_CELL_TANH] = CN_SIMD_TANH_LAYER,
                                        [CN_CELL_RELU] = CN_SIMD_RELU_LAYER,
                                        [CN_CELL_GRU] = CN_SIMD_GRU_LAYER,
                                        [CN_CELL_LSTM] = CN_SIMD_LSTM_LAYER };

static cn_simd_layer layer_of(const cn_call *c)
{
    cn_cell cell;
    return cn_cell_find(c->op->name, *(const char *const *)c->params, &cell) ? layers[cell]
                                                                             : CN_SIMD_TANH_LAYER;
}

static float *out_or_null(const cn_call *c, int i)
{
    return cn_out(c, i)->numel ? cn_simd_out(c, i) : NULL;
}

/* The columns of w, or of w turned. */
static const float *columns(cn_tensor *w, bool turned)
{
    const int64_t rows = w->v.shape.dim[0], cols = w->v.shape.dim[1];
    const cn_simd_gemm g = { .n = turned ? rows : cols,
                             .k = turned ? cols : rows,
                             .b = (const float *)(const void *)w->v.data,
                             .b_row = turned ? 1 : cols,
                             .b_col = turned ? cols : 1 };
    return cn_simd_packed(w, &g);
}

static const char *refuses_step_of(const cn_call *c, int state, const int weights[2])
{
    const char *why = cn_simd_refuses_sparse(c);
    const cn_shape *s = &cn_in(c, state)->shape;
    if (why) return why;
    if (!cn_simd->step_takes(s->dim[0], s->dim[1])) return "a width that is no multiple of a tile";
    for (int i = 0; i < 2; i++)
        if (c->in[weights[i]] && (!cn_in(c, weights[i])->numel || !cn_may_pack(c->in[weights[i]])))
            return "weights that may change unseen";
    return NULL;
}

static const char *refuses_step(const cn_call *c)
{
    return refuses_step_of(c, CN_STEP_HX, (const int[]){ CN_STEP_W_IH, CN_STEP_W_HH });
}

static bool step(const cn_call *c)
{
    size_t mark = cn_mark();
    const cn_shape *state = &cn_in(c, CN_STEP_HX)->shape;
    cn_simd_step s = { .layer = layer_of(c),
                       .rows = state->dim[0],
                       .width = state->dim[1],
                       .inputs = cn_in(c, CN_STEP_INPUT)->shape.dim[1],
                       .x = cn_simd_in(c, CN_STEP_INPUT),
                       .h = cn_simd_in(c, CN_STEP_HX),
                       .c = cn_simd_in_or_null(c, CN_STEP_CX),
                       .b_ih = cn_simd_in_or_null(c, CN_STEP_B_IH),
                       .b_hh = cn_simd_in_or_null(c, CN_STEP_B_HH),
                       .h_out = cn_simd_out(c, CN_STEP_H),
                       .c_out = out_or_null(c, CN_STEP_C),
                       .gates = out_or_null(c, CN_STEP_GATES) };
    cn_tensor *w_ih = c->in[CN_STEP_W_IH];
    s.w_hh = columns(c->in[CN_STEP_W_HH], true);
    s.w_ih = w_ih ? columns(w_ih, true) : NULL;
    bool ok = s.w_hh && (!w_ih || s.w_ih) && cn_simd->step(&s, cn_threads());
    cn_release(mark);
    return ok;
}

static const char *refuses_back(const cn_call *c)
{
    return refuses_step_of(c, CN_STEP_BACK_HX,
                           (const int[]){ CN_STEP_BACK_W_HH, CN_STEP_BACK_W_HH });
}

static bool step_back(const cn_call *c)
{
    size_t mark = cn_mark();
    const cn_shape *state = &cn_in(c, CN_STEP_BACK_HX)->shape;
    cn_simd_step_back s = { .layer = layer_of(c),
                            .rows = state->dim[0],
                            .width = state->dim[1],
                            .grad_out = cn_simd_in(c, CN_STEP_BACK_GRAD_OUT),
                            .grad_h = cn_simd_in(c, CN_STEP_BACK_GRAD_H),
                            .grad_c = cn_simd_in_or_null(c, CN_STEP_BACK_GRAD_C),
                            .h0 = cn_simd_in(c, CN_STEP_BACK_HX),
                            .c0 = cn_simd_in_or_null(c, CN_STEP_BACK_CX),
                            .h = cn_simd_in(c, CN_STEP_BACK_H),
                            .c = cn_simd_in_or_null(c, CN_STEP_BACK_C),
                            .gates = cn_simd_in_or_null(c, CN_STEP_BACK_GATES),
                            .d_projected = cn_simd_out(c, CN_STEP_BACK_D_PROJECTED),
                            .d_hidden = out_or_null(c, CN_STEP_BACK_D_HIDDEN),
                            .d_h = cn_simd_out(c, CN_STEP_BACK_D_H),
                            .d_c = out_or_null(c, CN_STEP_BACK_D_C) };
    s.w_hh = columns(c->in[CN_STEP_BACK_W_HH], false);
    bool ok = s.w_hh && cn_simd->step_back(&s, cn_threads());
    cn_release(mark);
    return ok;
}

const cn_simd_binding cn_simd_steps[] = {
    { CN_OP_ID_recurrent_step, step, refuses_step },
    { CN_OP_ID_recurrent_step_backward, step_back, refuses_back },
    { 0 },
};
