/* bow.c - texts as bags of words, and finding one by the weights of its words. */
#include "book/book.h"

#include <math.h>

enum { TEXTS = 5 };

static const char *const texts[TEXTS] = {
    "the cat sat on the mat and the cat slept",
    "the dog chased the cat in the garden",
    "stocks fell as the bank raised the rate of interest",
    "the bank of the river was green and the water deep",
    "the garden by the river is full of roses",
};

/* Which text is the nearest to a question by the cosine of their weights. */
static double nearest(const cn_vocab *v, cn_tensor *bag, const char *question)
{
    cn_tokens *words = cn_tokenize(question, CN_WORDS);
    cn_tensor *asked = cn_bag_of_words(v, (const cn_tokens *const[]){ words }, 1);
    cn_tensor *both[] = { bag, asked };
    cn_tensor *weights = cn_tf_idf(cn_cat(both, 2, 0)); /* the question is a text, too */
    cn_tensor *cosine = cn_matmul(weights, cn_select(weights, 0, TEXTS));
    cn_tokens_free(words);
    return cn_item(cn_argmax(cn_narrow(cosine, 0, 0, TEXTS)));
}

static void run(Lab *lab)
{
    cn_tokens *tokens[TEXTS], *all = NULL;
    for (int i = 0; i < TEXTS; i++) tokens[i] = cn_tokenize(texts[i], CN_WORDS);
    all =
        cn_tokenize("the cat sat on mat and slept dog chased in garden stocks fell as bank raised "
                    "rate of interest river was green water deep by is full roses",
                    CN_WORDS);
    cn_vocab *v = cn_vocab_new(all);
    cn_tensor *bag = cn_bag_of_words(v, (const cn_tokens *const *)tokens, TEXTS);
    cn_tensor *weights = cn_tf_idf(bag);
    lab_shape(lab, "the bags", bag, CN_SHAPE(TEXTS, cn_vocab_size(v)));
    lab_values(lab, "how many words each text has", cn_sum(bag, .dim = CN_SHAPE(1)), 0, 10, 8, 10,
               11, 9);
    lab_values(lab, "'the' and 'cat' in the first", cn_narrow(cn_select(bag, 0, 0), 0, 1, 2), 0, 3,
               2);
    lab_values(lab, "lengths of the weights", cn_norm(weights, .dim = CN_SHAPE(1)), 1e-6, 1, 1, 1,
               1, 1);
    /* tf (log((1 + texts) / (1 + texts with it)) + 1): 'cat' is in two texts of five, 'the' in all. */
    lab_number(lab, "weight of 'cat' against 'the' in the first",
               cn_at(weights, CN_SHAPE(0, 2)) / cn_at(weights, CN_SHAPE(0, 1)),
               2 * (log(6.0 / 3) + 1) / 3, 1e-6);
    lab_number(lab, "a sleeping cat", nearest(v, bag, "the cat slept"), 0, 0);
    lab_number(lab, "interest at the bank", nearest(v, bag, "the interest of the bank"), 2, 0);
    lab_number(lab, "the bank of a deep river", nearest(v, bag, "deep bank of the river"), 3, 0);
    lab_number(lab, "roses by the river", nearest(v, bag, "roses by the river"), 4, 0);
    for (int i = 0; i < TEXTS; i++) cn_tokens_free(tokens[i]);
    cn_tokens_free(all);
    cn_vocab_free(v);
}

const Experiment experiment_c08_bow = {
    .id = "C08-BOW",
    .title = "Bags of words and TF-IDF",
    .title_zh = "词袋模型与TF-IDF",
    .section = "9.2",
    .settings = "5 texts; tf (log((1 + n) / (1 + df)) + 1), rows of length 1",
    .run = run,
};
