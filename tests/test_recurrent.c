/* test_recurrent.c - recurrent layers and cells: PyTorch's numbers, sequences of unequal length,
   long ones. */
#include "core/memory.h"
#include "module_golden.h"
#include "ops/recurrent.h"

#include <cenote/cenote.h>
#include <cenote/ffi.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define CASE(cls, constructor, inputs) { cls, constructor, inputs },
static const ModuleCase cases[] = {
#include "recurrent_cases.def"
};

static void test_golden(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < COUNT(cases); i++) failures += module_golden_check(&cases[i]);
    assert_int_equal(failures, 0);
}

/* ---- sequences of unequal length ----------------------------------------------------------- */

enum { STEPS = 5, BATCH = 3, IN = 2, HIDDEN = 4 };
static const int64_t lengths[BATCH] = { 2, 5, 3 };

static void assert_close(cn_tensor *a, cn_tensor *b)
{
    if (!a || !b) fail_msg("%s", cn_error());
    double worst = cn_item(cn_amax(cn_abs(cn_sub(a, b))));
    if (!(worst <= 1e-5)) fail_msg("they differ by %g", worst);
}

/* Sequence i alone, cut to its length, as a batch of one. */
static cn_tensor *alone(cn_tensor *x, int i)
{
    return cn_narrow(cn_narrow(x, 0, i, 1), 1, 0, lengths[i]);
}

static void check_lengths(cn_module *m)
{
    cn_tensor *x = cn_randn(CN_SHAPE(BATCH, STEPS, IN), CN_F32);
    cn_tensor *n = cn_from(lengths, CN_SHAPE(BATCH), CN_I64);
    cn_recurrent_result all = cn_recurrent(m, x, .lengths = n);
    for (int i = 0; i < BATCH; i++) {
        cn_recurrent_result one = cn_recurrent(m, alone(x, i));
        assert_close(alone(all.out, i), one.out);
        assert_close(cn_narrow(all.h, 1, i, 1), one.h);
        if (one.c) assert_close(cn_narrow(all.c, 1, i, 1), one.c);
    }
    cn_tensor *rest = cn_narrow(cn_narrow(all.out, 0, 0, 1), 1, lengths[0], STEPS - lengths[0]);
    assert_close(rest, cn_mul(rest, cn_num(0)));
    cn_module_free(m);
}

/* Numbers after a sequence's end: neither results nor gradients know them. */
static void check_padding(cn_module *m)
{
    cn_tensor *n = cn_from(lengths, CN_SHAPE(BATCH), CN_I64);
    cn_tensor *used = cn_lt(cn_arange(0, STEPS, 1, CN_I64), cn_unsqueeze(n, 1));
    cn_tensor *mask = cn_unsqueeze(used, 2), *x = cn_randn(CN_SHAPE(BATCH, STEPS, IN), CN_F32);
    cn_tensor *in[2] = { x, cn_where(mask, x, cn_num(1e30)) }, *out[2], *weight[2];
    for (int i = 0; i < 2; i++) {
        cn_requires_grad(in[i], true);
        cn_recurrent_result r = cn_recurrent(m, in[i], .lengths = n);
        cn_zero_grad(m);
        assert_true(cn_backward(cn_sum(cn_square(r.out))));
        out[i] = r.out;
        weight[i] = cn_clone(cn_grad(cn_module_slot(m, "weight_ih_l0")));
        assert_close(cn_mul(cn_grad(in[i]), cn_sub(cn_num(1), cn_to(mask, CN_F32))),
                     cn_mul(in[i], cn_num(0)));
    }
    assert_close(out[0], out[1]);
    assert_close(cn_grad(in[0]), cn_grad(in[1]));
    assert_close(weight[0], weight[1]);
    cn_module_free(m);
}

static void test_padding(void **state)
{
    (void)state;
    CN_SCOPE check_padding(cn_rnn_layer(HIDDEN, .batch_first = true));
    CN_SCOPE check_padding(cn_gru_layer(HIDDEN, .batch_first = true, .bidirectional = true));
    CN_SCOPE check_padding(cn_lstm_layer(HIDDEN, .batch_first = true, .layers = 2));
}

static void test_lengths(void **state)
{
    (void)state;
    CN_SCOPE check_lengths(cn_rnn_layer(HIDDEN, .batch_first = true));
    CN_SCOPE check_lengths(cn_gru_layer(HIDDEN, .batch_first = true, .layers = 2));
    CN_SCOPE check_lengths(cn_lstm_layer(HIDDEN, .batch_first = true, .layers = 2,
                                         .bidirectional = true, .projection = 3));
}

/* ---- a layer is its cell, step by step ----------------------------------------------------- */

static bool copy_entry(const cn_entry *e, void *context)
{
    char name[64];
    snprintf(name, sizeof name, "%s_l0", e->name);
    cn_tensor *from = cn_module_slot(context, name);
    bool ok = false;
    CN_NO_GRAD ok = cn_copy_(e->tensor, from) != NULL;
    return ok;
}

static void check_cell(cn_module *layer, cn_module *cell)
{
    cn_tensor *x = cn_randn(CN_SHAPE(STEPS, BATCH, IN), CN_F32);
    assert_true(cn_build(layer, CN_SHAPE(1, 1, IN)) && cn_build(cell, CN_SHAPE(1, IN)));
    assert_true(cn_visit(cell, copy_entry, layer));
    cn_recurrent_result all = cn_recurrent(layer, x), now = { 0 };
    for (int t = 0; t < STEPS; t++) {
        now = cn_recurrent(cell, cn_select(x, 0, t), .h = now.h, .c = now.c);
        assert_close(now.out, cn_select(all.out, 0, t));
    }
    assert_close(now.h, cn_select(all.h, 0, 0));
    cn_module_free(layer);
    cn_module_free(cell);
}

static void test_cells(void **state)
{
    (void)state;
    CN_SCOPE check_cell(cn_rnn_layer(HIDDEN, .relu = true),
                        cn_rnn_cell_layer(HIDDEN, .relu = true));
    CN_SCOPE check_cell(cn_gru_layer(HIDDEN), cn_gru_cell_layer(HIDDEN));
    CN_SCOPE check_cell(cn_lstm_layer(HIDDEN, .no_bias = true),
                        cn_lstm_cell_layer(HIDDEN, .no_bias = true));
}

/* ---- long ones: neither the C stack nor the number of outputs limits them ------------------- */

enum { MANY_STEPS = 200000 };

/* One op after another, each an edge of the graph. */
static cn_tensor *long_chain(cn_tensor *w)
{
    cn_tensor *h = w;
    for (int t = 0; h && t < MANY_STEPS; t++) h = cn_tanh(cn_mul(h, w));
    return h;
}

static cn_tensor *long_layer(cn_module *m)
{
    return cn_recurrent(m, cn_randn(CN_SHAPE(MANY_STEPS, 1, 2), CN_F32)).out;
}

/* A step of an optimiser on the mean square. */
static void check_training(cn_tensor *out, cn_tensor *parameter, cn_module *m)
{
    if (!cn_backward(cn_mean(cn_square(out)))) fail_msg("%s", cn_error());
    double norm = cn_item(cn_sum(cn_square(cn_grad(parameter))));
    assert_true(norm > 0 && isfinite(norm));
    cn_optim *o = m ? cn_sgd(m, .lr = 0.1) : NULL;
    assert_true(!m || cn_step(o));
    cn_optim_free(o);
}

/* On a stack of 256 KiB, and everything is given back in the end. */
static void test_long_sequence(void **state)
{
    (void)state;
    struct rlimit was, small;
    assert_int_equal(getrlimit(RLIMIT_STACK, &was), 0);
    small = (struct rlimit){ 1 << 18, was.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_STACK, &small), 0);
    int64_t alive = cn_live_tensors();
    cn_module *m = cn_gru_layer(2);
    CN_SCOPE
    {
        cn_tensor *out = long_layer(m);
        check_training(out, cn_module_slot(m, "weight_hh_l0"), m);
        cn_tensor *w = cn_full(CN_SHAPE(1), 1.5, CN_F32);
        cn_requires_grad(w, true);
        check_training(long_chain(w), w, NULL);
    }
    cn_module_free(m);
    assert_int_equal(cn_live_tensors(), alive);
    assert_int_equal(setrlimit(RLIMIT_STACK, &was), 0);
}

/* ---- dropout, and what is refused ----------------------------------------------------------- */

static void test_dropout_between_layers(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_tensor *x = cn_ones(CN_SHAPE(3, 2, IN), CN_F32);
    cn_module *m = cn_rnn_layer(HIDDEN, .layers = 2, .dropout = 1);
    assert_true(cn_build(m, CN_SHAPE(1, 1, IN)));
    /* Everything is dropped: the second layer sees zeros, whatever the input is. */
    cn_tensor *a = cn_forward(m, x), *b = cn_forward(m, cn_mul(x, cn_num(2)));
    assert_close(a, b);
    cn_train_mode(m, false);
    a = cn_forward(m, x), b = cn_forward(m, cn_mul(x, cn_num(2)));
    assert_true(cn_item(cn_sum(cn_abs(cn_sub(a, b)))) > 1e-3);
    cn_module_free(m);
    cn_release(mark);
}

static void refuse(cn_recurrent_result r, const char *word)
{
    assert_null(r.out);
    if (!strstr(cn_error(), word)) fail_msg("\"%s\" does not say %s", cn_error(), word);
    cn_error_clear();
}

static void test_refused(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    cn_module *m = cn_lstm_layer(HIDDEN, .in = IN);
    cn_tensor *x = cn_ones(CN_SHAPE(STEPS, BATCH, IN), CN_F32);
    cn_tensor *h = cn_ones(CN_SHAPE(1, BATCH, HIDDEN), CN_F32);
    refuse(cn_recurrent(m, x, .h = h), "pair");
    refuse(cn_recurrent(m, x, .h = x, .c = h), "h_0");
    refuse(cn_recurrent(m, h), "features");
    refuse(cn_recurrent(m, cn_ones(CN_SHAPE(0, BATCH, IN), CN_F32)), "steps");
    refuse(cn_recurrent(m, cn_ones(CN_SHAPE(IN), CN_F32)), "dimensions");
    refuse(cn_recurrent(m, x, .lengths = cn_from(lengths, CN_SHAPE(2), CN_I64)), "lengths");
    refuse(cn_recurrent(m, x, .lengths = cn_full(CN_SHAPE(BATCH), 6, CN_I64)), "length 6");
    cn_module_free(m);
    assert_null(cn_gru_layer(HIDDEN, .projection = 2));
    cn_error_clear();
    assert_null(cn_lstm_layer(HIDDEN, .projection = HIDDEN));
    cn_error_clear();
    assert_null(cn_lstm_cell_layer(HIDDEN, .layers = 2));
    cn_error_clear();
    cn_release(mark);
}

/* ---- kernels of a whole step ------------------------------------------------------------------ */

enum { N_WIDE = 7 }; /* input, h, c, w_ih, w_hh, b_ih, b_hh */

/* Results below each other, after gradients of all inputs were left. */
static cn_tensor *run_wide(cn_cell cell, cn_tensor *in[N_WIDE], cn_tensor *rows, bool reverse)
{
    const cn_cell_weights w = { .w_ih = in[3], .w_hh = in[4], .b_ih = in[5], .b_hh = in[6] };
    cn_tensor *state[2] = { in[1], in[2] }, *out = NULL;
    for (int i = 0; i < N_WIDE; i++) cn_requires_grad(in[i], true);
    if (!cn_recurrent_layer(cell, in[0], state, &w, rows, reverse, &out))
        fail_msg("%s", cn_error());
    cn_tensor *all[] = { out, state[0], state[1] }, *y = cn_cat(all, 3, 0);
    cn_backward(cn_sum(cn_mul(y, cn_sin(cn_mul(y, cn_num(3))))));
    return cn_detach(y);
}

/* In float32 beside float64, whose steps are made of products and gates. */
static void check_wide(cn_cell cell, int64_t width, int64_t inputs, bool reverse)
{
    static const int64_t rows[] = { 30, 30, 17, 15, 14, 3, 1 };
    const int64_t gates = cn_cell_gates(cell) * width, n = COUNT(rows);
    int64_t total = 0;
    for (int64_t i = 0; i < n; i++) total += rows[i];
    const cn_shape shapes[N_WIDE] = { CN_SHAPE(total, inputs),  CN_SHAPE(rows[0], width),
                                      CN_SHAPE(rows[0], width), CN_SHAPE(gates, inputs),
                                      CN_SHAPE(gates, width),   CN_SHAPE(gates),
                                      CN_SHAPE(gates) };
    cn_tensor *a[N_WIDE], *b[N_WIDE], *sizes = cn_from(rows, CN_SHAPE(n), CN_I64);
    for (int i = 0; i < N_WIDE; i++) {
        a[i] = cn_mul(cn_randn(shapes[i], CN_F32), cn_num(i == 3 || i == 4 ? 0.1 : 0.5));
        b[i] = cn_clone(cn_to(a[i], CN_F64));
    }
    assert_close(cn_to(run_wide(cell, a, sizes, reverse), CN_F64),
                 run_wide(cell, b, sizes, reverse));
    for (int i = 0; i < N_WIDE; i++) {
        if (i == 2 && cell != CN_CELL_LSTM)
            continue; /* gradients are sums of hundreds of numbers */
        cn_tensor *g = cn_to(cn_grad(a[i]), CN_F64), *want = cn_grad(b[i]);
        cn_tensor *size = cn_add(cn_amax(cn_abs(want)), cn_num(1));
        assert_close(cn_div(g, size), cn_div(want, size));
    }
}

/* Widths of whole tiles, few and many inputs. */
static void test_wide_layers(void **state)
{
    (void)state;
    for (int cell = CN_CELL_TANH; cell <= CN_CELL_LSTM; cell++)
        for (int k = 0; k < 8; k++)
            CN_SCOPE check_wide((cn_cell)cell, k & 1 ? 160 : 32, k & 2 ? 70 : 5, k & 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_padding),       cmocka_unit_test(test_cells),
        cmocka_unit_test(test_long_sequence), cmocka_unit_test(test_dropout_between_layers),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_wide_layers),
    };
    return cmocka_run_group_tests_name("recurrent", tests, module_golden_open, module_golden_close);
}
