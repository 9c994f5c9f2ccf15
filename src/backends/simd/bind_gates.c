/* bind_gates.c - the gates of recurrent cells. */
#include "backends/simd/bind.h"

typedef void cells_fn(const cn_simd_cell *p, int threads);

/* `state` is an input with one number per hidden unit. */
static bool run(const cn_call *c, int state, cells_fn *fn)
{
    const cn_view *h = cn_in(c, state);
    const int64_t width = h->shape.dim[h->shape.ndim - 1];
    cn_simd_cell p = { .rows = width ? h->numel / width : 0, .width = width };
    for (int i = 0; i < c->n_in; i++) p.in[i] = cn_simd_in(c, i);
    for (int i = 0; i < c->n_out; i++) p.out[i] = cn_simd_out(c, i);
    fn(&p, cn_threads());
    return true;
}

static bool lstm(const cn_call *c)
{
    return run(c, 2, cn_simd->lstm);
}

static bool lstm_backward(const cn_call *c)
{
    return run(c, 2, cn_simd->lstm_backward);
}

static bool gru(const cn_call *c)
{
    return run(c, 2, cn_simd->gru);
}

static bool gru_backward(const cn_call *c)
{
    return run(c, 1, cn_simd->gru_backward);
}

const cn_simd_binding cn_simd_gates[] = {
    { CN_OP_ID_lstm_gates, lstm, NULL },
    { CN_OP_ID_lstm_gates_backward, lstm_backward, NULL },
    { CN_OP_ID_gru_gates, gru, NULL },
    { CN_OP_ID_gru_gates_backward, gru_backward, NULL },
    { 0 },
};
