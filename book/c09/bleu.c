/* bleu.c - scoring a translation by its n-grams (D2L 10.7.6). */
#include "book/book.h"

static double bleu(const char *prediction, const char *reference, int64_t k)
{
    cn_tokens *p = cn_tokenize(prediction, CN_WORDS), *r = cn_tokenize(reference, CN_WORDS);
    double score = cn_bleu(p, r, k);
    cn_tokens_free(p);
    cn_tokens_free(r);
    return score;
}

static void run_bleu(Lab *lab)
{
    lab_number(lab, "'va !', as it should be", bleu("va !", "va !", 2), 1, 0);
    lab_number(lab, "'il est riche .' for 'il est calme .'",
               bleu("il est riche .", "il est calme .", 2), 0.658, 5e-4);
    /* exp(1 - 5/4), p_1 = 3/4, p_2 = 1/3. */
    lab_number(lab, "'je suis tombé .' for 'je suis chez moi .'",
               bleu("je suis tombé .", "je suis chez moi .", 2),
               0.7788007830714049 * 0.8660254037844386 * 0.7598356856515925, 1e-9);
    /* p_1 = 4/5, p_2 = 3/4, p_3 = 1/3: of the two B only one counts. */
    lab_number(lab, "A B B C D for A B C D E F", bleu("A B B C D", "A B C D E F", 3),
               0.8187307530779818 * 0.894427191 * 0.930604859 * 0.871685443, 1e-6);
    lab_number(lab, "two B where one is", bleu("B B", "A B", 1), 0.7071067811865476, 1e-9);
    lab_at_most(lab, "too short is punished", bleu("A B", "A B C D", 1),
                bleu("A B C", "A B C D", 1));
    lab_number(lab, "no word in common", bleu("A B", "C D", 1), 0, 0);
}

const Experiment experiment_c09_bleu = {
    .id = "C09-BLEU",
    .title = "BLEU",
    .title_zh = "预测序列的评估",
    .section = "10.7.6",
    .settings = "bigrams, weights 1/2^n",
    .published = "1.000, 0.658",
    .run = run_bleu,
};

/* ---- ROUGE ------------------------------------------------------------------------------------- */

static void check_rouge(Lab *lab, const char *prediction, const char *reference, int64_t n,
                        double precision, double recall)
{
    cn_tokens *p = cn_tokenize(prediction, CN_WORDS), *r = cn_tokenize(reference, CN_WORDS);
    cn_rouge_score s = cn_rouge(p, r, n);
    const char *const what[][3] = { { "ROUGE-L precision", "ROUGE-L recall", "ROUGE-L F" },
                                    { "ROUGE-1 precision", "ROUGE-1 recall", "ROUGE-1 F" },
                                    { "ROUGE-2 precision", "ROUGE-2 recall", "ROUGE-2 F" } };
    double f = precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
    lab_number(lab, what[n][0], s.precision, precision, 1e-9);
    lab_number(lab, what[n][1], s.recall, recall, 1e-9);
    lab_number(lab, what[n][2], s.f1, f, 1e-9);
    cn_tokens_free(p);
    cn_tokens_free(r);
}

static void run_rouge(Lab *lab)
{
    const char *reference = "police killed the gunman";
    check_rouge(lab, "police kill the gunman", reference, 1, 3.0 / 4, 3.0 / 4);
    check_rouge(lab, "police kill the gunman", reference, 2, 1.0 / 3, 1.0 / 3);
    check_rouge(lab, "police kill the gunman", reference, 0, 3.0 / 4, 3.0 / 4);
    check_rouge(lab, "the gunman kill police", reference, 0, 2.0 / 4, 2.0 / 4);
    check_rouge(lab, "the the the cat", "the cat sat on the mat", 1, 3.0 / 4, 3.0 / 6);
    check_rouge(lab, "a", "b c", 1, 0, 0);
}

const Experiment experiment_c09_rouge = {
    .id = "C09-ROUGE",
    .title = "ROUGE",
    .title_zh = "ROUGE 评估",
    .section = "10.7.6",
    .published = "Lin, 2004: 0.75 and 0.5 for ROUGE-L of the two sentences",
    .run = run_rouge,
};
