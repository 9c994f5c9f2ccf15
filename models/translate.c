/* translate.c - sentences through an encoder and a decoder. */
#include "models/encoder_decoder.h"

static cn_tokens *words_of(const cn_vocab *v, const cn_hypothesis *h, int64_t eos)
{
    int64_t n = h->length && h->ids[h->length - 1] == eos ? h->length - 1 : h->length;
    return cn_vocab_decode(v, cn_from(h->ids, CN_SHAPE(n), CN_I64));
}

/* The best translation of what was encoded; false: an error is set. */
static bool best(cn_module *net, const cn_vocab *source, const cn_tokens *words, int64_t steps,
                 const cn_seq_search *search, cn_hypothesis *out)
{
    int64_t length = 0;
    cn_tensor *ids = cn_pairs_encode(source, words, steps, &length);
    cn_tensor *lengths = cn_full(CN_SHAPE(1), (double)length, CN_I64);
    cn_seq_search one = *search;
    one.keep = 1;
    int64_t found = ids && lengths ? cn_seq_predict(net, ids, lengths, &one, out) : -1;
    return found == 1 ||
           (cn_ok() && cn_fail(CN_EINVALID, "translate: no beam ended with a probability"));
}

cn_tokens *cn_translate(cn_module *net, const cn_vocab *source, const cn_vocab *target,
                        const char *sentence, int64_t steps, const cn_seq_search *search,
                        double *score)
{
    cn_tokens *words = cn_pairs_tokenize(sentence), *translation = NULL;
    cn_hypothesis h = { 0 };
    bool was = cn_is_training(net);
    cn_train_mode(net, false);
    CN_SCOPE
    {
        if (words && best(net, source, words, steps, search, &h))
            translation = words_of(target, &h, search->eos);
    }
    cn_train_mode(net, was);
    if (score) *score = h.score;
    cn_hypothesis_free(&h);
    cn_tokens_free(words);
    return translation;
}
