/* scores.c - how like two texts are: BLEU and ROUGE. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "text/tokens.h"

static bool same_token(const cn_tokens *a, int64_t i, const cn_tokens *b, int64_t j)
{
    return strcmp(a->bytes + a->start[i], b->bytes + b->start[j]) == 0;
}

static bool same_gram(const cn_tokens *a, int64_t i, const cn_tokens *b, int64_t j, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        if (!same_token(a, i + k, b, j + k)) return false;
    return true;
}

/* How many of a's n-grams b has, each of b's used once; -1: no memory. Sentences are short. */
static int64_t shared_grams(const cn_tokens *a, const cn_tokens *b, int64_t n)
{
    int64_t in_a = a->count - n + 1, in_b = b->count - n + 1, shared = 0;
    if (in_a <= 0 || in_b <= 0) return 0;
    bool *used = cn_alloc_zeroed((size_t)in_b * sizeof *used);
    if (!used) return -1;
    for (int64_t i = 0; i < in_a; i++)
        for (int64_t j = 0; j < in_b; j++) {
            if (used[j] || !same_gram(a, i, b, j, n)) continue;
            used[j] = true;
            shared++;
            break;
        }
    cn_free(used);
    return shared;
}

double cn_bleu(const cn_tokens *prediction, const cn_tokens *reference, int64_t k)
{
    if (!prediction || !reference || k < 1) {
        cn_fail(CN_EINVALID, "cn_bleu: %s", k < 1 ? "k must be at least 1" : "a text is missing");
        return (double)NAN;
    }
    int64_t predicted = prediction->count;
    if (!predicted) return 0;
    double score = exp(fmin(0, 1 - (double)reference->count / (double)predicted));
    for (int64_t n = 1; n <= (k < predicted ? k : predicted); n++) {
        int64_t shared = shared_grams(prediction, reference, n);
        if (shared < 0) return (double)NAN;
        score *= pow((double)shared / (double)(predicted - n + 1), pow(0.5, (double)n));
    }
    return score;
}

/* Length of the longest common subsequence; -1: no memory. */
static int64_t common_subsequence(const cn_tokens *a, const cn_tokens *b)
{
    int64_t *row = cn_alloc_zeroed(((size_t)b->count + 1) * sizeof *row);
    if (!row) return -1;
    for (int64_t i = 0; i < a->count; i++) {
        int64_t diagonal = 0;
        for (int64_t j = 1; j <= b->count; j++) {
            int64_t above = row[j], left = row[j - 1];
            row[j] = same_token(a, i, b, j - 1) ? diagonal + 1 : above > left ? above : left;
            diagonal = above;
        }
    }
    int64_t length = row[b->count];
    cn_free(row);
    return length;
}

cn_rouge_score cn_rouge(const cn_tokens *prediction, const cn_tokens *reference, int64_t n)
{
    cn_rouge_score none = { (double)NAN, (double)NAN, (double)NAN };
    if (!prediction || !reference || n < 0) {
        cn_fail(CN_EINVALID, "cn_rouge: %s", n < 0 ? "n is negative" : "a text is missing");
        return none;
    }
    int64_t length = n ? n : 1;
    int64_t in_p = prediction->count - length + 1, in_r = reference->count - length + 1;
    int64_t shared =
        n ? shared_grams(prediction, reference, n) : common_subsequence(prediction, reference);
    if (shared < 0) return none;
    double precision = in_p > 0 ? (double)shared / (double)in_p : 0;
    double recall = in_r > 0 ? (double)shared / (double)in_r : 0;
    double sum = precision + recall;
    return (cn_rouge_score){ precision, recall, sum > 0 ? 2 * precision * recall / sum : 0 };
}
