/* mtdata.c - sentences and their translations as data (D2L 10.5). */
#include "book/c09/translation.h"

#include <string.h>

/* How words are cut, and what is done about length. */
static void check_preparation(Lab *lab)
{
    cn_tokens *t = cn_pairs_tokenize("Va\xE2\x80\xAF! Oui,\xC2\xA0"
                                     "Bien s\xC3\xBBr.");
    char *joined = cn_tokens_join(t, " ");
    lab_text(lab, "lower case, marks apart", joined, "va ! oui , bien sûr .");
    cn_text_free(joined);
    cn_tokens_free(t);
}

static void check_book(Lab *lab, const Translation *t)
{
    int64_t length = 0;
    cn_pairs all = cn_pairs_new(t->text, .steps = 8);
    cn_tokens *go = cn_pairs_tokenize("go .");
    lab_number(lab, "words of all the English sentences", (double)cn_vocab_size(all.source), 10012,
               0);
    cn_tensor *x = cn_pairs_encode(all.source, go, 10, &length);
    lab_values(lab, "'go .' in the vocabulary of all", x, 0, 47, 4, 3, 1, 1, 1, 1, 1, 1, 1);
    lab_number(lab, "its length with <eos>", (double)length, 3, 0);
    cn_tokens_free(go);
    cn_pairs_free(&all);
}

static void check_batch(Lab *lab, const Translation *t)
{
    cn_batch b;
    if (!cn_dataset_get(t->pairs.data, (const int64_t[]){ 0, 1 }, 2, &b)) return;
    lab_shape(lab, "X", b.x, CN_SHAPE(2, t->steps));
    lab_shape(lab, "its lengths", b.extra[0], CN_SHAPE(2));
    cn_tensor *counted = cn_sum(cn_to(cn_ne(b.y, cn_num(1)), CN_I64), .dim = CN_SHAPE(1));
    lab_same(lab, "lengths of Y, and tokens that are not <pad>", b.extra[1], counted, 0);
    cn_tensor *end = cn_to(cn_sub(b.extra[1], cn_num(1)), CN_I64);
    cn_tensor *last = cn_gather(b.y, 1, cn_unsqueeze(end, 1));
    lab_values(lab, "the last of them is <eos>", last, 0, 3, 3);
    cn_tokens *words = cn_vocab_decode(t->pairs.target, cn_select(b.y, 0, 0));
    char *text = cn_tokens_join(words, " ");
    lab_say(lab, "Y[0]: %s", text ? text : "");
    cn_text_free(text);
    cn_tokens_free(words);
}

static void run(Lab *lab)
{
    Translation t = translation_new(lab);
    if (t.pairs.data) {
        check_preparation(lab);
        lab_number(lab, "<pad>, <bos> and <eos> come first",
                   (double)(cn_vocab_id(t.pairs.source, "<pad>") * 100 +
                            cn_vocab_id(t.pairs.source, "<bos>") * 10 +
                            cn_vocab_id(t.pairs.source, "<eos>")),
                   123, 0);
        lab_number(lab, "pairs", (double)cn_dataset_samples(t.pairs.data), (double)t.used, 0);
        check_batch(lab, &t);
        if (lab_options(lab)->real) check_book(lab, &t);
    }
    translation_free(&t);
}

const Experiment experiment_c09_mtdata = {
    .id = "C09-MTDATA",
    .title = "Machine translation and its data",
    .title_zh = "机器翻译与数据集",
    .section = "10.5",
    .settings = "600 pairs, 10 steps, words that occur twice",
    .published = "10,012 English words; 'go .' is [47, 4, 1, ...]",
    .data = "fra-eng",
    .run = run,
};
