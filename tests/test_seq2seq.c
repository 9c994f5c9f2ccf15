/* test_seq2seq.c - encoders and decoders against PyTorch (tools/golden_seq2seq.py made the numbers), their
   states, masks and predictions; what is refused. */
#include "models/seq2seq.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VOCABULARY = 11, EMBEDDING = 6, HIDDEN = 8, BATCH = 4, STEPS = 7, BOS = 2, EOS = 3 };

static cn_dict *golden;

static cn_seq2seq_options options(bool both)
{
    return (cn_seq2seq_options){
        .vocabulary = VOCABULARY, .embedding = EMBEDDING, .hidden = HIDDEN, .bidirectional = both
    };
}

static bool draw(const cn_entry *e, void *context)
{
    int *stream = context;
    float x[512];
    int64_t n = cn_numel(e->tensor);
    bool ok = false;
    assert_true(n <= 512);
    for (int64_t i = 0; i < n; i++) {
        uint32_t r[4];
        cn_philox(7, (uint64_t)*stream, (uint64_t)i, r);
        x[i] = (float)(2 * (double)r[0] * 0x1p-32 - 1) * 0.5f;
    }
    CN_NO_GRAD ok = cn_write(e->tensor, CN_F32, x, n);
    ++*stream;
    return ok;
}

static cn_module *drawn(bool both)
{
    const cn_seq2seq_options o = options(both);
    int stream = 0;
    cn_module *net = cn_seq2seq(&o, VOCABULARY);
    if (!cn_visit(net, draw, &stream)) fail_msg("%s", cn_error());
    return net;
}

static cn_tensor *ids(uint64_t stream)
{
    int64_t id[BATCH * STEPS];
    for (uint64_t i = 0; i < BATCH * STEPS; i++) {
        uint32_t r[4];
        cn_philox(8, stream, i, r);
        id[i] = r[0] % VOCABULARY;
    }
    return cn_from(id, CN_SHAPE(BATCH, STEPS), CN_I64);
}

static cn_tensor *loss_of(cn_module *net, cn_tensor **output)
{
    cn_tensor *y = ids(1), *lengths = cn_from((int64_t[]){ 7, 3, 1, 5 }, CN_SHAPE(BATCH), CN_I64);
    *output = cn_seq_scores(net, ids(0), NULL, cn_seq_shifted(y, BOS));
    return cn_sum(cn_masked_cross_entropy(*output, y, lengths));
}

/* ---- against PyTorch ------------------------------------------------------------------------ */

static void same(const char *way, const char *what, cn_tensor *ours)
{
    char key[160];
    snprintf(key, sizeof key, "%s|%s", way, what);
    cn_tensor *theirs = cn_dict_tensor(golden, key);
    if (!ours || !theirs || cn_numel(ours) != cn_numel(theirs))
        fail_msg("%s: %s", key, ours && theirs ? "another size" : "missing");
    double worst = cn_item(cn_amax(cn_abs(cn_sub(cn_reshape(ours, *cn_shape_of(theirs)), theirs))));
    if (!(worst < 2e-5)) fail_msg("%s differs by %g", key, worst);
}

typedef struct {
    const char *way, *what;
} Which;

static bool same_entry(const cn_entry *e, void *context)
{
    const Which *w = context;
    char what[128];
    snprintf(what, sizeof what, "%s|%s", w->what, e->name);
    same(w->way, what, strcmp(w->what, "grad") == 0 ? cn_grad(e->tensor) : cn_detach(e->tensor));
    return true;
}

static void compare_way(const char *way, bool both)
{
    cn_module *net = drawn(both);
    cn_optim *adam = cn_adam(net, .lr = 0.005);
    for (int i = 0; i < 3; i++) CN_SCOPE
        {
            cn_tensor *output, *loss = loss_of(net, &output);
            cn_optim_zero_grad(adam);
            if (!cn_backward(loss)) fail_msg("%s", cn_error());
            if (i == 0) {
                same(way, "output", cn_detach(output));
                same(way, "loss", cn_detach(loss));
                cn_visit(net, same_entry, &(Which){ way, "grad" });
            }
            assert_true(cn_step(adam));
        }
    cn_visit(net, same_entry, &(Which){ way, "adam" });
    cn_optim_free(adam);
    cn_module_free(net);
}

static void one_way_is_pytorchs(void **state)
{
    (void)state;
    CN_SCOPE compare_way("one", false);
}

static void both_ways_are_pytorchs(void **state)
{
    (void)state;
    CN_SCOPE compare_way("both", true);
}

/* ---- states and searches --------------------------------------------------------------------- */

/* Going on step by step, with rows that change places, is going over all steps at once. */
static void states_go_on(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_module *net = drawn(false);
        cn_tensor *x = ids(0), *y = ids(1), *each[STEPS];
        cn_tensor *order = cn_from((int64_t[]){ 2, 0, 3, 1 }, CN_SHAPE(BATCH), CN_I64);
        cn_seq_state s, held = { 0 };
        assert_true(cn_seq_begin(net, x, NULL, &s));
        assert_true(cn_seq_select(&s, order) && cn_seq_hold(&held, &s));
        y = cn_index_select(y, 0, order);
        for (int i = 0; i < STEPS; i++) {
            cn_seq_state now = held;
            each[i] = cn_seq_step(net, cn_narrow(y, 1, i, 1), &now);
            assert_true(cn_seq_hold(&held, &now));
        }
        cn_tensor *all = cn_seq_scores(net, cn_index_select(x, 0, order), NULL, y);
        cn_tensor *differ = cn_abs(cn_sub(all, cn_cat(each, STEPS, 1)));
        assert_true(cn_item(cn_amax(differ)) < 1e-5);
        cn_seq_drop(&held);
        cn_module_free(net);
    }
}

/* The most likely word each time. */
static void greedy_is_the_likeliest_word(void **state)
{
    (void)state;
    CN_SCOPE
    {
        cn_module *net = drawn(true);
        cn_tensor *x = cn_narrow(ids(0), 0, 0, 1), *word = cn_full(CN_SHAPE(1, 1), BOS, CN_I64);
        const cn_seq_search search = { .bos = BOS, .eos = EOS, .steps = 6 };
        cn_hypothesis h;
        cn_seq_state s;
        assert_int_equal(cn_seq_predict(net, x, NULL, &search, &h), 1);
        assert_true(cn_seq_begin(net, x, NULL, &s));
        for (int64_t i = 0; i < h.length; i++) {
            word = cn_argmax(cn_seq_step(net, word, &s), .dim = CN_SHAPE(2));
            assert_int_equal((int64_t)cn_item(word), h.ids[i]);
        }
        cn_hypothesis_free(&h);
        cn_module_free(net);
    }
}

static void sentences_are_learned(void **state)
{
    (void)state;
    char *text = cn_text_numbers(1, 30);
    cn_pairs p = cn_pairs_new(text, .steps = 8);
    const cn_seq2seq_options o = { .vocabulary = cn_vocab_size(p.source), .hidden = 48 };
    cn_manual_seed(1);
    cn_module *net = cn_seq2seq(&o, cn_vocab_size(p.target));
    cn_optim *adam = cn_adam(net, .lr = 0.01);
    cn_fit_progress last;
    assert_true(cn_fit(&last, net, p.data, .optim = adam, .run = cn_seq_run, .loss = cn_seq_loss,
                       .validate = p.data, .batch = 10, .epochs = 60, .clip = 1, .seed = 1));
    assert_true(last.train_loss < 0.3 && last.test_loss < 0.3);
    const cn_seq_search search = { BOS, EOS, 8, 3, 0.75, 1 };
    cn_tokens *words = cn_translate(net, p.source, p.target, "Twenty two", 8, &search, NULL);
    char *joined = cn_tokens_join(words, " ");
    assert_string_equal(joined, "vingt deux");
    cn_text_free(joined);
    cn_tokens_free(words);
    cn_optim_free(adam);
    cn_module_free(net);
    cn_pairs_free(&p);
    cn_text_free(text);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void refused(const char *part)
{
    assert_false(cn_ok());
    if (!strstr(cn_error(), part)) fail_msg("'%s' lacks '%s'", cn_error(), part);
    cn_error_clear();
}

static bool two_parts(cn_module *decoder, const cn_seq_state *encoded, cn_tensor *lengths,
                      cn_seq_state *state)
{
    (void)decoder, (void)lengths;
    *state = (cn_seq_state){ 1, { encoded->part[0] }, { 0 } };
    return true;
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    const cn_seq2seq_options both = options(true);
    assert_null(cn_seq2seq_decoder(&both));
    refused("bidirectional");
    CN_SCOPE
    {
        cn_module *net = cn_encoder_decoder(cn_relu_layer(), cn_relu_layer(), two_parts);
        assert_null(cn_seq_scores(net, ids(0), NULL, ids(1)));
        cn_error_clear();
        cn_module_free(net);
        assert_null(cn_masked_cross_entropy(ids(0), ids(1), ids(0)));
        refused("masked_cross_entropy");
    }
    assert_null(cn_text_numbers(0, 0));
    refused("below 0");
    assert_null(cn_text_numbers(0, 10001));
    refused("10001");
    assert_null(cn_pairs_new("a\tb", .skip = 1).data);
    refused("no pairs");
    assert_null(cn_pairs_new("a\tb", .skip = -1).data);
    refused("negative");
    cn_vocab *v = cn_vocab_new(NULL);
    assert_null(cn_pairs_new("a\tb", .source = v).data);
    refused("one vocabulary");
    cn_vocab_free(v);
}

static int open_golden(void **state)
{
    (void)state;
    golden = cn_load("tests/golden/seq2seq.safetensors");
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
        cmocka_unit_test(one_way_is_pytorchs),   cmocka_unit_test(both_ways_are_pytorchs),
        cmocka_unit_test(states_go_on),          cmocka_unit_test(greedy_is_the_likeliest_word),
        cmocka_unit_test(sentences_are_learned), cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, open_golden, close_golden);
}
