/* test_language.c - language models: their state, going on from a state, and learning a text. */
#include "models/language_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS = 6, BATCH = 3, VOCABULARY = 5, HIDDEN = 16 };

static const char *const names[] = { "rnnlm", "gru", "lstm" };
enum { MODELS = sizeof names / sizeof *names };

static cn_module *small(const char *name)
{
    const cn_model *model = cn_model_find(name);
    assert_non_null(model);
    assert_true(model->tokens);
    cn_manual_seed(3);
    cn_module *net = model->make(&(cn_model_request){
        .classes = VOCABULARY, .shrink = 256 / HIDDEN, .settings = model->settings });
    if (!net) fail_msg("%s: %s", name, cn_error());
    return net;
}

/* 0 1 2 3 4 0 1 .., each row from another of them on. */
static cn_tensor *counting(int64_t rows, int64_t steps, int64_t from)
{
    cn_tensor *t = cn_empty(CN_SHAPE(rows, steps), CN_I64);
    int64_t *id = cn_data_mut(t);
    for (int64_t i = 0; id && i < rows * steps; i++)
        id[i] = (from + i / steps + i % steps) % VOCABULARY;
    return t;
}

static void assert_close(cn_tensor *a, cn_tensor *b)
{
    if (!a || !b) fail_msg("%s", cn_error());
    double worst = cn_item(cn_amax(cn_abs(cn_sub(a, b))));
    if (!(worst <= 1e-5)) fail_msg("they differ by %g", worst);
}

/* ---- parts ------------------------------------------------------------------------------------- */

static void states_have_the_names_of_the_book(void **state)
{
    (void)state;
    static const int gates[MODELS] = { 1, 3, 4 };
    for (int i = 0; i < MODELS; i++) CN_SCOPE
        {
            cn_module *net = small(names[i]);
            cn_dict *d = cn_state_dict(net);
            assert_int_equal(cn_dict_count(d), 6);
            cn_tensor *w = cn_dict_tensor(d, "rnn.weight_ih_l0");
            assert_int_equal(cn_size(w, 0), gates[i] * HIDDEN);
            assert_int_equal(cn_size(w, 1), VOCABULARY);
            assert_int_equal(cn_size(cn_dict_tensor(d, "linear.bias"), 0), VOCABULARY);
            cn_dict_free(d);
            cn_module_free(net);
        }
}

/* ---- the state ----------------------------------------------------------------------------------- */

static void check_state(cn_module *net)
{
    cn_tensor *ids = counting(BATCH, STEPS, 0), *whole = cn_forward(net, ids);
    cn_tensor *state[2] = { NULL, NULL };
    for (int t = 0; t < STEPS; t++) {
        cn_tensor *in[3] = { cn_narrow(ids, 1, t, 1), state[0], state[1] }, *out[3] = { NULL };
        int n = 3;
        if (!cn_forward_all(net, in, 3, out, &n)) fail_msg("%s", cn_error());
        assert_close(out[0], cn_narrow(whole, 2, t, 1));
        memcpy(state, out + 1, sizeof state);
    }
    cn_module_free(net);
}

static void step_by_step_is_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < MODELS; i++) CN_SCOPE check_state(small(names[i]));
}

/* ---- learning -------------------------------------------------------------------------------------- */

static cn_fit_progress learned(cn_module *net)
{
    cn_fit_progress p = { .epoch = 0 };
    cn_dataset *data = cn_dataset_from_tensors(counting(32, STEPS, 0), counting(32, STEPS, 1));
    cn_optim *optim = cn_adam(net, .lr = 0.02);
    if (!cn_fit(&p, net, data, .optim = optim, .batch = 8, .epochs = 15, .validate = data,
                .clip = 1))
        fail_msg("%s", cn_error());
    cn_optim_free(optim);
    cn_dataset_free(data);
    return p;
}

/* The loop that trains classifiers trains these, and counts how often the next token is right. */
static void a_pattern_is_learned(void **state)
{
    (void)state;
    for (int i = 0; i < MODELS; i++) CN_SCOPE
        {
            cn_module *net = small(names[i]);
            cn_fit_progress p = learned(net);
            assert_true(exp(p.test_loss) < 1.3);
            assert_true(p.test_acc > 0.99);
            cn_module_free(net);
        }
}

static void ids_beyond_the_vocabulary_are_refused(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_module *net = small("gru");
        assert_null(cn_forward(net, cn_full(CN_SHAPE(1, 2), VOCABULARY, CN_I64)));
        assert_int_equal(cn_error_code(), CN_EINVALID);
        cn_error_clear();
        cn_module_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_have_the_names_of_the_book),
        cmocka_unit_test(step_by_step_is_the_same),
        cmocka_unit_test(a_pattern_is_learned),
        cmocka_unit_test(ids_beyond_the_vocabulary_are_refused),
    };
    return cmocka_run_group_tests_name("language", tests, NULL, NULL);
}
