/* test_transformer.c - the book's Transformer beside PyTorch's numbers, and GPT step by step. */
#include "models/gpt.h"
#include "models/transformer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* As tools/golden_transformer.py has them. */
enum { SOURCES = 11, TARGETS = 13, TARGET_STEPS = 5 };

static cn_dict *golden;

static void assert_near(const char *what, cn_tensor *ours, cn_tensor *wanted)
{
    if (!ours || !wanted) fail_msg("%s: %s", what, cn_error());
    if (cn_numel(ours) != cn_numel(wanted)) fail_msg("%s: not so many numbers", what);
    double worst = cn_item(cn_amax(cn_abs(cn_detach(cn_sub(ours, wanted)))));
    if (!(worst <= 2e-5)) fail_msg("%s: differs by %g", what, worst);
}

static cn_tensor *stored(const char *name)
{
    cn_tensor *t = cn_dict_tensor(golden, name);
    if (!t) fail_msg("%s is not stored", name);
    return t;
}

static bool copy_stored(const cn_entry *e, void *context)
{
    char key[256];
    (void)context;
    snprintf(key, sizeof key, "state|%s", e->name);
    return cn_copy_(cn_detach(e->tensor), stored(key)) != NULL;
}

static bool compare_gradient(const cn_entry *e, void *context)
{
    char key[256];
    (void)context;
    snprintf(key, sizeof key, "grad|%s", e->name);
    assert_near(key, cn_grad(e->tensor), stored(key));
    return true;
}

static cn_module *transformer(void)
{
    const cn_transformer_settings s = {
        .vocabulary = SOURCES, .width = 8, .feedforward = 12, .heads = 2, .layers = 2
    };
    cn_module *net = cn_transformer_translator(&s, TARGETS);
    if (!net || !cn_seq_scores(net, stored("source"), stored("lengths"), stored("target")) ||
        !cn_visit(net, copy_stored, NULL))
        fail_msg("%s", cn_error());
    return net;
}

static void encoder_and_decoder_give_pytorchs_numbers(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_module *net = transformer();
        cn_seq_state s;
        cn_tensor *target = stored("target");
        assert_true(cn_seq_begin(net, stored("source"), stored("lengths"), &s));
        assert_near("memory", s.part[0], stored("memory"));
        cn_tensor *scores = cn_seq_step(net, target, &s);
        assert_near("scores", scores, stored("scores"));
        cn_tensor *before = cn_narrow(scores, 1, 0, TARGET_STEPS - 1),
                  *next = cn_narrow(target, 1, 1, TARGET_STEPS - 1);
        cn_tensor *loss = cn_cross_entropy(cn_reshape(before, CN_SHAPE(-1, TARGETS)),
                                           cn_reshape(next, CN_SHAPE(-1)));
        assert_near("loss", cn_reshape(loss, CN_SHAPE(1)), stored("loss"));
        assert_true(cn_backward(loss));
        assert_true(cn_visit(net, compare_gradient, NULL));
        cn_module_free(net);
    }
}

/* ---- GPT ---------------------------------------------------------------------------------------- */

enum { VOCABULARY = 7, CONTEXT = 6 };

static cn_module *gpt(cn_positions positions)
{
    const cn_gpt_settings s = { .vocabulary = VOCABULARY,
                                .context = CONTEXT,
                                .width = 16,
                                .heads = 2,
                                .positions = positions };
    cn_module *net = cn_gpt(&s);
    if (!net) fail_msg("%s", cn_error());
    return net;
}

static cn_tensor *counting(int64_t steps)
{
    cn_tensor *t = cn_arange(0, (double)(2 * steps), 1, CN_I64);
    return cn_reshape(cn_remainder(cn_mul(t, cn_full(CN_SHAPE(1), 3, CN_I64)),
                                   cn_full(CN_SHAPE(1), VOCABULARY, CN_I64)),
                      CN_SHAPE(2, steps));
}

static void step_by_step_is_the_same(void **state)
{
    (void)state;
    for (int kind = CN_POSITIONS_LEARNED; kind <= CN_POSITIONS_NONE; kind++) CN_SCOPE
        {
            cn_module *net = gpt((cn_positions)kind);
            cn_tensor *ids = counting(CONTEXT), *all = cn_forward(net, ids), *past = NULL;
            for (int64_t i = 0; i < CONTEXT; i++) {
                cn_tensor *in[] = { cn_narrow(ids, 1, i, 1), past }, *out[2] = { NULL };
                int n = 2;
                if (!cn_forward_all(net, in, 2, out, &n)) fail_msg("%s", cn_error());
                assert_near("step", out[0], cn_narrow(all, 2, i, 1));
                past = out[1];
            }
            cn_module_free(net);
        }
}

/* {ids, past, cache} becomes what follows. */
static cn_tensor *go_on(cn_module *net, cn_tensor *ids, cn_tensor *state[2])
{
    cn_tensor *in[] = { ids, state[0], state[1] }, *out[3] = { NULL };
    int n = 3;
    if (!cn_forward_all(net, in, 3, out, &n)) fail_msg("%s", cn_error());
    state[0] = out[1], state[1] = out[2];
    return out[0];
}

static void keys_and_values_are_kept(void **state)
{
    enum { PIECE = 2, LEFT = CONTEXT / 2 };
    (void)state;
    cn_set_grad_enabled(false);
    for (int kind = CN_POSITIONS_LEARNED; kind <= CN_POSITIONS_NONE; kind++) CN_SCOPE
        {
            cn_module *net = gpt((cn_positions)kind);
            cn_train_mode(net, false);
            cn_tensor *ids = counting(CONTEXT + 1), *past[2] = { NULL };
            cn_tensor *all = cn_forward(net, cn_narrow(ids, 1, 0, CONTEXT));
            for (int64_t i = 0; i < CONTEXT; i += PIECE)
                assert_near("piece", go_on(net, cn_narrow(ids, 1, i, PIECE), past),
                            cn_narrow(all, 2, i, PIECE));
            assert_int_equal(cn_size(past[0], 1), CONTEXT);
            cn_tensor *half = cn_forward(net, cn_narrow(ids, 1, CONTEXT + 1 - LEFT, LEFT));
            assert_near("half a context", go_on(net, cn_narrow(ids, 1, CONTEXT, 1), past),
                        cn_narrow(half, 2, LEFT - 1, 1));
            assert_int_equal(cn_size(past[0], 1), LEFT);
            assert_non_null(past[1]);
            cn_module_free(net);
        }
    cn_set_grad_enabled(true);
}

/* What follows one beginning in two ways has nothing to do with each other; while recording, nothing is kept. */
static void keys_and_values_are_nobody_elses(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_module *net = gpt(CN_POSITIONS_ROTARY);
        cn_train_mode(net, false);
        cn_tensor *ids = counting(CONTEXT), *first[2] = { NULL }, *second[2],
                  *recorded[2] = { NULL };
        CN_NO_GRAD
        {
            go_on(net, cn_narrow(ids, 1, 0, 3), first);
            second[0] = first[0], second[1] = first[1];
            cn_tensor *all = cn_forward(net, cn_narrow(ids, 1, 0, 5));
            go_on(net, cn_narrow(ids, 1, 3, 1), first);
            go_on(net, cn_zeros(CN_SHAPE(cn_size(ids, 0), 1), CN_I64), second);
            assert_near("after another", go_on(net, cn_narrow(ids, 1, 4, 1), first),
                        cn_narrow(all, 2, 4, 1));
        }
        go_on(net, cn_narrow(ids, 1, 0, 3), recorded);
        assert_null(recorded[1]);
        assert_near("recorded", go_on(net, cn_narrow(ids, 1, 3, 2), recorded),
                    cn_narrow(cn_forward(net, cn_narrow(ids, 1, 0, 5)), 2, 3, 2));
        cn_module_free(net);
    }
}

static void what_comes_later_changes_nothing(void **state)
{
    (void)state;
    for (int kind = CN_POSITIONS_LEARNED; kind <= CN_POSITIONS_NONE; kind++) CN_SCOPE
        {
            cn_module *net = gpt((cn_positions)kind);
            cn_tensor *ids = counting(CONTEXT), *other = cn_clone(ids);
            cn_copy_(cn_narrow(other, 1, 4, 2), cn_zeros(CN_SHAPE(2, 2), CN_I64));
            assert_near("earlier scores", cn_narrow(cn_forward(net, other), 2, 0, 4),
                        cn_narrow(cn_forward(net, ids), 2, 0, 4));
            cn_module_free(net);
        }
}

/* A cache of other tokens, or of another network, is an error. */
static void a_cache_must_fit(void **state)
{
    (void)state;
    cn_set_grad_enabled(false);
    CN_SCOPE
    {
        cn_module *net = gpt(CN_POSITIONS_LEARNED);
        cn_train_mode(net, false);
        cn_tensor *ids = counting(CONTEXT), *past[2] = { NULL }, *out[3] = { NULL };
        go_on(net, cn_narrow(ids, 1, 0, 2), past);
        cn_tensor *bad[] = { cn_zeros(CN_SHAPE(2), CN_F32), cn_narrow(past[1], 3, 0, 2),
                             cn_narrow(past[1], 1, 0, 1) };
        for (int i = 0; i < 3; i++) {
            cn_tensor *in[] = { cn_narrow(ids, 1, 2, 1), past[0], bad[i] };
            int n = 3;
            assert_false(cn_forward_all(net, in, 3, out, &n));
            assert_int_equal(cn_error_code(), CN_EINVALID);
            cn_error_clear();
        }
        cn_module_free(net);
    }
    cn_set_grad_enabled(true);
}

static void refusals(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_module *net = gpt(CN_POSITIONS_LEARNED);
        assert_null(cn_forward(net, counting(CONTEXT + 1)));
        assert_int_equal(cn_error_code(), CN_EINVALID);
        cn_error_clear();
        cn_module_free(net);
        assert_null(cn_gpt(&(cn_gpt_settings){ .vocabulary = 3, .width = 10, .heads = 3 }));
        assert_int_equal(cn_error_code(), CN_EINVALID);
        cn_error_clear();
        assert_null(cn_rotated(cn_zeros(CN_SHAPE(2, 3), CN_F32), 0));
        assert_int_equal(cn_error_code(), CN_EINVALID);
        cn_error_clear();
    }
}

static int open_golden(void **state)
{
    (void)state;
    golden = cn_load("tests/golden/transformer.safetensors");
    return golden ? 0 : -1;
}

static int close_golden(void **state)
{
    (void)state;
    cn_dict_free(golden);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoder_and_decoder_give_pytorchs_numbers),
        cmocka_unit_test(step_by_step_is_the_same),
        cmocka_unit_test(keys_and_values_are_kept),
        cmocka_unit_test(keys_and_values_are_nobody_elses),
        cmocka_unit_test(a_cache_must_fit),
        cmocka_unit_test(what_comes_later_changes_nothing),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests_name("transformer", tests, open_golden, close_golden);
}
