/* reader.c - a small BERT, trained by guessing hidden words (Devlin et al., 2019). */
#include "book/c09/reader.h"

#include <stdlib.h>

enum { PAD = 1, CLS = 2, SEP = 3, HIDDEN = 4, FIRST_WORD = 5 };
enum { HEADS = 4, LAYERS = 2, BATCH = 32, HELD_BACK = 200 };
static const int64_t no_guess = -100; /* a target that does not count */

/* ---- sentences ------------------------------------------------------------------------------- */

static bool add_sentence(Reader *r, const cn_tokens *words)
{
    enum { FEWEST = 5 };
    int64_t n = cn_tokens_count(words);
    if (n < FEWEST || n > READER_WORDS) return true;
    Sentence *s = &r->sentences[r->n];
    s->n = n;
    if (!cn_read(cn_vocab_encode(r->vocab, words), CN_I64, s->word, n)) return false;
    r->n++;
    return true;
}

static bool add_lines(Reader *r, const char *text)
{
    cn_tokens *lines = cn_tokenize(text, CN_LINES);
    int64_t n = cn_tokens_count(lines);
    r->sentences = n > 0 ? calloc((size_t)n, sizeof *r->sentences) : NULL;
    bool ok = r->sentences != NULL;
    for (int64_t i = 0; ok && i < n; i++) CN_SCOPE
        {
            cn_tokens *words = cn_tokenize(cn_token(lines, i), CN_WORDS);
            ok = add_sentence(r, words);
            cn_tokens_free(words);
        }
    cn_tokens_free(lines);
    r->used = r->n - HELD_BACK;
    if (ok && r->used < BATCH)
        return cn_fail(CN_EINVALID, "reader: %lld sentences are too few", (long long)r->n);
    return ok;
}

static bool read_text(Lab *lab, Reader *r)
{
    enum { STORY_LINES = 2500 };
    static const char *const reserved[] = { "<pad>", "<cls>", "<sep>", "<mask>", NULL };
    const LabOptions *o = lab_options(lab);
    char *text = o->real ? language_text(lab) : cn_text_story(o->seed, STORY_LINES);
    char *clean = text ? cn_text_clean(text) : NULL;
    cn_tokens *words = clean ? cn_tokenize(clean, CN_WORDS) : NULL;
    if (words) r->vocab = cn_vocab_new(words, .min_freq = 5, .reserved = reserved);
    bool ok = r->vocab && add_lines(r, clean);
    cn_tokens_free(words);
    cn_text_free(clean);
    cn_text_free(text);
    return ok;
}

/* ---- batches ----------------------------------------------------------------------------------- */

typedef struct {
    int64_t *ids, *segments, at;
} Row;

static void append(Row *row, int64_t id, int64_t segment)
{
    row->ids[row->at] = id;
    row->segments[row->at++] = segment;
}

static void append_sentence(Row *row, const Sentence *s, int64_t segment)
{
    for (int64_t i = 0; i < s->n; i++) append(row, s->word[i], segment);
    append(row, SEP, segment);
}

ReaderBatch reader_batch(const Sentence *a, const Sentence *b, int64_t n)
{
    int64_t steps = b ? READER_STEPS : READER_WORDS + 2, *ids = calloc((size_t)(2 * n * steps), 8);
    ReaderBatch batch = { NULL, NULL };
    for (int64_t i = 0; ids && i < n; i++) {
        Row row = { ids + i * steps, ids + (n + i) * steps, 0 };
        append(&row, CLS, 0);
        append_sentence(&row, &a[i], 0);
        if (b) append_sentence(&row, &b[i], 1);
        while (row.at < steps) append(&row, PAD, 0);
    }
    if (ids) {
        batch.ids = cn_from(ids, CN_SHAPE(n, steps), CN_I64);
        batch.segments = cn_from(ids + n * steps, CN_SHAPE(n, steps), CN_I64);
    }
    free(ids);
    return batch;
}

/* ---- the network ------------------------------------------------------------------------------- */

/* As in BERT the scores of words are products with their embeddings: `words` is a linear layer whose
   weights are both. */
static bool make_network(Reader *r)
{
    cn_module *layer = cn_transformer_encoder_layer(
        READER_WIDTH, HEADS, .feedforward = 2 * READER_WIDTH, .batch_first = true, .gelu = true);
    r->words = cn_linear_layer(cn_vocab_size(r->vocab), .in = READER_WIDTH);
    r->positions = cn_linear_layer(READER_WIDTH, .in = READER_STEPS);
    r->segments = cn_linear_layer(READER_WIDTH, .in = 2);
    r->encoder = cn_transformer_encoder(layer, LAYERS, NULL);
    r->net = cn_module_list((cn_module *[]){ r->words, r->positions, r->segments, r->encoder }, 4);
    return r->net != NULL;
}

cn_tensor *reader_run(const Reader *r, const ReaderBatch *batch)
{
    cn_tensor *at = cn_arange(0, (double)cn_size(batch->ids, 1), 1, CN_I64);
    cn_tensor *where = cn_to(cn_one_hot(at, READER_STEPS), CN_F32);
    cn_tensor *which = cn_to(cn_one_hot(batch->segments, 2), CN_F32);
    cn_tensor *x = cn_embedding(batch->ids, cn_module_slot(r->words, "weight"));
    x = cn_add(cn_add(x, cn_forward(r->positions, where)), cn_forward(r->segments, which));
    cn_tensor *in[] = { x, NULL, cn_eq(batch->ids, cn_num(PAD)) }, *out[] = { NULL };
    int n = 1;
    return x && in[2] && cn_forward_all(r->encoder, in, 3, out, &n) ? out[0] : NULL;
}

cn_tensor *reader_words(const Reader *r, const Sentence *s)
{
    cn_tensor *meaning = NULL;
    CN_NO_GRAD
    {
        ReaderBatch batch = reader_batch(s, NULL, 1);
        cn_tensor *all = batch.ids ? reader_run(r, &batch) : NULL;
        meaning = all ? cn_narrow(cn_select(all, 0, 0), 0, 1, s->n) : NULL;
    }
    return meaning;
}

/* ---- guessing hidden words ---------------------------------------------------------------------- */

int64_t reader_any_word(Reader *r)
{
    return FIRST_WORD + cn_rng_below(&r->rng, cn_vocab_size(r->vocab) - FIRST_WORD);
}

/* Every seventh word, at least one, has to be guessed. Of these 8 of 10 are hidden, 1 is another word,
   1 stays. targets[i] is (READER_WORDS + 2) long, as a row of the batch. */
static Sentence hide(Reader *r, const Sentence *s, int64_t *targets)
{
    Sentence hidden = *s;
    for (int64_t i = 0; i < READER_WORDS + 2; i++) targets[i] = no_guess;
    int64_t forced = cn_rng_below(&r->rng, s->n);
    for (int64_t i = 0; i < s->n; i++) {
        if (i != forced && cn_rng_below(&r->rng, 7)) continue;
        int64_t how = cn_rng_below(&r->rng, 10);
        targets[i + 1] = s->word[i];
        if (how < 8) hidden.word[i] = HIDDEN;
        else if (how == 8) hidden.word[i] = reader_any_word(r);
    }
    return hidden;
}

/* The mean cross-entropy of the words to be guessed in sentences first .. first + BATCH - 1. */
static cn_tensor *guess(Reader *r, const int64_t *order, int64_t first)
{
    enum { STEPS = READER_WORDS + 2 };
    Sentence hidden[BATCH];
    int64_t targets[BATCH * STEPS];
    for (int64_t i = 0; i < BATCH; i++)
        hidden[i] =
            hide(r, &r->sentences[order ? order[first + i] : first + i], targets + i * STEPS);
    ReaderBatch batch = reader_batch(hidden, NULL, BATCH);
    cn_tensor *meaning = batch.ids ? reader_run(r, &batch) : NULL;
    cn_tensor *scores = cn_forward(r->words, cn_reshape(meaning, CN_SHAPE(-1, READER_WIDTH)));
    return cn_cross_entropy(scores, cn_from(targets, CN_SHAPE(BATCH * STEPS), CN_I64),
                            .ignores = true, .ignore_index = no_guess);
}

static void train_epoch(Reader *r, cn_optim *optim, int64_t *order)
{
    cn_rng_permutation(&r->rng, r->used, order);
    for (int64_t i = 0; i + BATCH <= r->used && cn_ok(); i += BATCH) CN_SCOPE
        {
            cn_tensor *loss = guess(r, order, i);
            cn_optim_zero_grad(optim);
            if (cn_backward(loss)) {
                cn_clip_grad_norm_of(optim, 1);
                cn_step(optim);
            }
        }
}

static double loss_held_back(Reader *r)
{
    double sum = 0, batches = 0;
    CN_NO_GRAD
    {
        for (int64_t i = r->used; i + BATCH <= r->n; i += BATCH, batches++) CN_SCOPE
            {
                sum += cn_item(guess(r, NULL, i));
            }
    }
    return sum / batches;
}

static bool train(Lab *lab, Reader *r)
{
    const LabOptions *o = lab_options(lab);
    int64_t epochs = o->quick ? 8 : 40, *order = calloc((size_t)r->used, sizeof *order);
    double before = loss_held_back(r);
    cn_optim *adam = order ? cn_adam(r->net, .lr = 0.003) : NULL;
    for (int64_t i = 0; adam && i < epochs && cn_ok(); i++) train_epoch(r, adam, order);
    lab_say(lab, "%lld sentences, %lld words; hidden words of others: %.2f nats, %.2f at first",
            (long long)r->used, (long long)cn_vocab_size(r->vocab), loss_held_back(r), before);
    cn_optim_free(adam);
    free(order);
    return adam && cn_ok();
}

Reader reader_new(Lab *lab)
{
    Reader r = { .rng = cn_rng_make(lab_options(lab)->seed, 0) };
    cn_manual_seed(lab_options(lab)->seed);
    if (!read_text(lab, &r) || !make_network(&r) || !train(lab, &r)) reader_free(&r);
    return r;
}

void reader_free(Reader *r)
{
    cn_module_free(r->net);
    cn_vocab_free(r->vocab);
    free(r->sentences);
    *r = (Reader){ 0 };
}
