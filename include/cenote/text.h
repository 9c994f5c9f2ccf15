/* text.h - from characters to tensors: tokens, vocabularies, sub-words, batches of long sequences,
   and how generated text is scored (D2L chapters 9 and 10).

       char *text = cn_text_read("timemachine.txt");
       cn_tokens *words = cn_tokenize(text, CN_WORDS);
       cn_vocab *vocab = cn_vocab_new(words, .min_freq = 2);
       cn_tensor *ids = cn_vocab_encode(vocab, words);       (tokens) int64

   All text is UTF-8: what is not is refused where text comes in. */
#ifndef CENOTE_TEXT_H
#define CENOTE_TEXT_H

#include "data.h"
#include "rng.h"
#include "tensor.h"

CN_BEGIN_DECLS

/* ---- text ---------------------------------------------------------------------------------- */

/* A whole file, ended by a 0; the caller frees it with cn_text_free(). Errors: CN_EIO; CN_EFORMAT,
   with the position, for what is not UTF-8 or holds a 0. */
CN_API char *cn_text_read(const char *path);
/* Letters only, lower case, single blanks between words, line by line: the book's
   re.sub('[^A-Za-z]+', ' ', line).strip().lower(). A new text. D2L 9.2. */
CN_API char *cn_text_clean(const char *text);

/* A file of the book's texts, such as "timemachine.txt", read: from the folder text/ of $CENOTE_DATA or
   of the cache. CN_ENOTFOUND, with those places, when there is none. */
CN_API char *cn_text_find(const char *name);
/* The same story for the same seed: lines of a small grammar, with capitals and punctuation, whose
   words are about as unequally frequent as those of a language. */
CN_API char *cn_text_story(uint64_t seed, int64_t lines);
/* English sentences with their French translations, for cn_pairs_new(): the book's, fra.txt in the folder
   fra-eng/ or in translation/fra-eng.zip of the same places; errors as above. D2L 10.5. */
CN_API char *cn_text_translations(void);
/* All numbers below `below` (10,000 at most) in the same order for the same seed, in words: lines
   "twenty one TAB vingt et un". */
CN_API char *cn_text_numbers(uint64_t seed, int64_t below);

/* ---- tokens: an unchangeable list of texts ----------------------------------------------------- */

typedef struct cn_tokens cn_tokens;

typedef enum cn_split_by {
    CN_WORDS,      /* what is between white space */
    CN_CHARACTERS, /* code points, line ends left out */
    CN_LINES       /* without their ends; empty ones count */
} cn_split_by;

CN_API cn_tokens *cn_tokenize(const char *text, cn_split_by how);
CN_API cn_tokens *cn_tokens_from(const char *const *tokens, int64_t n); /* copies */
CN_API cn_tokens *cn_tokens_part(const cn_tokens *t, int64_t start, int64_t n);
CN_API void cn_tokens_free(cn_tokens *t);                   /* NULL is fine */
CN_API int64_t cn_tokens_count(const cn_tokens *t);         /* -1 of NULL */
CN_API const char *cn_token(const cn_tokens *t, int64_t i); /* lives as long as t; NULL: error */
/* All of them with `between` from one to the next. cn_text_free() it. */
CN_API char *cn_tokens_join(const cn_tokens *t, const char *between);

/* ---- vocabularies -------------------------------------------------------------------------- */

typedef struct cn_vocab cn_vocab;

/* Ids: 0 is "<unk>", then the reserved tokens in their order, then those that occur at least
   min_freq times, the most frequent first and those of one frequency in the order in which they
   first occur. D2L 9.2.3. */
typedef struct cn_vocab_options {
    size_t size;
    const cn_tokens *tokens; /* NULL: none */
    cn_named_only named_only_;
    int64_t min_freq;            /* 0: every one */
    const char *const *reserved; /* "<pad>", "<bos>", ..; ended by NULL */
} cn_vocab_options;

CN_API cn_vocab *cn_vocab_new_with(const cn_vocab_options *o);
#define cn_vocab_new(...)                                                                          \
    cn_vocab_new_with(&(cn_vocab_options){ .size = sizeof(cn_vocab_options), __VA_ARGS__ })
CN_API void cn_vocab_free(cn_vocab *v); /* NULL is fine */

CN_API int64_t cn_vocab_size(const cn_vocab *v);                  /* -1 of NULL */
CN_API int64_t cn_vocab_id(const cn_vocab *v, const char *token); /* 0 for those it lacks */
CN_API const char *cn_vocab_token(const cn_vocab *v, int64_t id); /* NULL: an error is set */
CN_API int64_t cn_vocab_frequency(const cn_vocab *v, int64_t id); /* 0 of reserved ones */
/* (tokens) int64; and back, from int64 ids of any shape, in row-major order. */
CN_API cn_tensor *cn_vocab_encode(const cn_vocab *v, const cn_tokens *tokens);
CN_API cn_tokens *cn_vocab_decode(const cn_vocab *v, const cn_tensor *ids);
/* A file with a token a line, in the order of the ids, "<unk>" first; frequencies are not in it. Errors:
   CN_EINVALID for a token that holds a line end, and one that is there twice; CN_EFORMAT; CN_EIO. */
CN_API bool cn_vocab_save(const cn_vocab *v, const char *path);
CN_API cn_vocab *cn_vocab_load(const char *path);

/* ---- words in pieces: byte-pair encoding -------------------------------------------------------- */

typedef struct cn_bpe cn_bpe;

/* Learns merges of pairs of symbols, characters at first, from words and their frequencies, the most
   frequent pair first (of equals the one in the more frequent word). Each word ends with `end`. Costs
   merges x length of all different words. Sennrich et al., 2016; D2L 15.6. */
typedef struct cn_bpe_options {
    size_t size;
    const cn_vocab *words;
    cn_named_only named_only_;
    int64_t merges;   /* at most so many */
    int64_t min_freq; /* no merge of a pair that occurs less often */
    const char *end;  /* NULL: "_" */
} cn_bpe_options;

CN_API cn_bpe *cn_bpe_new_with(const cn_bpe_options *o);
#define cn_bpe_new(...)                                                                            \
    cn_bpe_new_with(&(cn_bpe_options){ .size = sizeof(cn_bpe_options), __VA_ARGS__ })
CN_API void cn_bpe_free(cn_bpe *b);            /* NULL is fine */
CN_API int64_t cn_bpe_merges(const cn_bpe *b); /* -1 of NULL */
/* What the i-th merge joined; lives as long as b. */
CN_API bool cn_bpe_merge(const cn_bpe *b, int64_t i, const char **left, const char **right);
/* "<unk>", the characters, and what each merge made. Lives as long as b. */
CN_API const cn_tokens *cn_bpe_symbols(const cn_bpe *b);
/* Every word in pieces, by the merges in the order in which they were learned; characters that were
   never seen are "<unk>". And back: words end where `end` is. */
CN_API cn_tokens *cn_bpe_encode(const cn_bpe *b, const cn_tokens *words);
CN_API cn_tokens *cn_bpe_decode(const cn_bpe *b, const cn_tokens *pieces);

/* ---- Chinese words ------------------------------------------------------------------------------ */

typedef struct cn_segmenter cn_segmenter;

/* From lines "word frequency"; NULL: a small dictionary of everyday words that is built in. Chinese is
   cut where the product of the words' probabilities is largest. Runs of single characters, which the
   dictionary does not explain, are cut by a hidden Markov model of where in a word a character stands
   (begin, middle, end, single), whose probabilities come from the dictionary, unless `known_only`.
   Words in Latin letters and numbers stay whole, everything else is a token for itself, and blanks are
   left out. */
typedef struct cn_segmenter_options {
    size_t size;
    const char *dictionary;
    cn_named_only named_only_;
    bool known_only;
} cn_segmenter_options;

CN_API cn_segmenter *cn_segmenter_new_with(const cn_segmenter_options *o);
#define cn_segmenter_new(...)                                                                      \
    cn_segmenter_new_with(                                                                         \
        &(cn_segmenter_options){ .size = sizeof(cn_segmenter_options), __VA_ARGS__ })
CN_API void cn_segmenter_free(cn_segmenter *s); /* NULL is fine */
CN_API cn_tokens *cn_segment(const cn_segmenter *s, const char *text);

/* ---- counting: n-grams, bags of words -------------------------------------------------------------- */

typedef struct cn_ngrams cn_ngrams;

typedef enum cn_smoothing {
    CN_LAPLACE,     /* (count + s) / (count of the context + s |V|) */
    CN_INTERPOLATED /* (count + s p) / (count of the context + s), p: with one token less of context */
} cn_smoothing;

/* Counts of all grams of 1 .. n tokens, and the model p(token | the n - 1 before it); contexts that are
   shorter are taken as they are. Probabilities of all tokens add up to 1. D2L 9.3. */
typedef struct cn_ngrams_options {
    size_t size;
    cn_tensor *ids; /* (tokens) int64 */
    cn_named_only named_only_;
    int64_t vocabulary, n; /* must be given; n: up to 8 */
    cn_smoothing smoothing;
    double strength; /* the s above; 0: none, and what was never seen has probability 0 */
} cn_ngrams_options;

CN_API cn_ngrams *cn_ngrams_new_with(const cn_ngrams_options *o);
#define cn_ngrams_new(...)                                                                         \
    cn_ngrams_new_with(&(cn_ngrams_options){ .size = sizeof(cn_ngrams_options), __VA_ARGS__ })
CN_API void cn_ngrams_free(cn_ngrams *m); /* NULL is fine */
/* How many different grams of this length there are, and how often one occurs; -1: an error is set. */
CN_API int64_t cn_ngrams_distinct(const cn_ngrams *m, int64_t length);
CN_API int64_t cn_ngrams_count(const cn_ngrams *m, const int64_t *gram, int64_t length);
/* The k most frequent, into grams[k * length] and counts[k] (either may be NULL), equals in the order in
   which they first occur. How many; -1: an error is set. */
CN_API int64_t cn_ngrams_top(const cn_ngrams *m, int64_t length, int64_t k, int64_t *grams,
                             int64_t *counts);
/* p(next | context), of which the last n - 1 tokens count. NaN: an error is set. */
CN_API double cn_ngrams_prob(const cn_ngrams *m, const int64_t *context, int64_t length,
                             int64_t next);
/* log p of a sequence; exp(-log p / tokens) of it. NaN: an error is set. */
CN_API double cn_ngrams_log_prob(const cn_ngrams *m, const cn_tensor *ids);
CN_API double cn_ngrams_perplexity(const cn_ngrams *m, const cn_tensor *ids);
/* A token drawn from p(. | context); rng NULL: the thread's default generator. -1 of NULL. */
CN_API int64_t cn_ngrams_next(const cn_ngrams *m, const int64_t *context, int64_t length,
                              cn_rng *rng);

/* (n, size of the vocabulary) float32: how often each token occurs in each text. */
CN_API cn_tensor *cn_bag_of_words(const cn_vocab *v, const cn_tokens *const *texts, int64_t n);
/* Such counts times log((1 + texts) / (1 + texts with the token)) + 1, rows of length 1. */
CN_API cn_tensor *cn_tf_idf(cn_tensor *bag);

/* ---- long sequences in batches: x (batch, steps) int64, and y, which is x one step later --------- */

typedef struct cn_windows cn_windows;

/* Every epoch begins at another of the first `steps` tokens. Sequential: row i of a batch goes on
   where row i of the one before it ended, so that a state can be handed over. Random: windows that do
   not overlap, in random order. What is left at the end is dropped. D2L 9.3. */
typedef struct cn_windows_options {
    size_t size;
    cn_tensor *ids; /* (tokens) int64; kept */
    cn_named_only named_only_;
    int64_t batch, steps; /* must be given */
    bool random;
    uint64_t seed;
} cn_windows_options;

CN_API cn_windows *cn_windows_new_with(const cn_windows_options *o);
#define cn_windows_new(...)                                                                        \
    cn_windows_new_with(&(cn_windows_options){ .size = sizeof(cn_windows_options), __VA_ARGS__ })
CN_API void cn_windows_free(cn_windows *w); /* NULL is fine */
/* The next batch, in the current scope. False at the end of an epoch, where cn_ok() holds and the next
   call begins another, and on errors. */
CN_API bool cn_windows_next(cn_windows *w, cn_batch *out) CN_MUST_CHECK;

/* ---- pairs of sentences: machine translation ------------------------------------------------------ */

/* A data set of x (steps), y (steps), both int64, and extra[0], extra[1]: their valid lengths, int64 (no
   dimensions). Sentences are cut or padded with "<pad>" to `steps` tokens; each ends with "<eos>".
   D2L 10.5. */
typedef struct cn_pairs {
    cn_dataset *data;
    cn_vocab *source, *target; /* reserved: <pad> 1, <bos> 2, <eos> 3 */
} cn_pairs;

/* Text of lines "source TAB target"; what follows a second TAB is ignored. With vocabularies given, such
   as those of other pairs, none are made. */
typedef struct cn_pairs_options {
    size_t size;
    const char *text;
    cn_named_only named_only_;
    int64_t steps;                   /* 10 */
    int64_t limit;                   /* only the first so many pairs; 0: all */
    int64_t min_freq;                /* 2 */
    int64_t skip;                    /* leave out so many pairs at the beginning */
    const cn_vocab *source, *target; /* both or none; lent: cn_pairs then has NULL */
} cn_pairs_options;

CN_API cn_pairs cn_pairs_new_with(const cn_pairs_options *o); /* all NULL: an error is set */
#define cn_pairs_new(...)                                                                          \
    cn_pairs_new_with(&(cn_pairs_options){ .size = sizeof(cn_pairs_options), __VA_ARGS__ })
CN_API void cn_pairs_free(cn_pairs *p);
/* As the book prepares a sentence: lower case, no-break spaces made plain, a blank before , . ! ? that
   lacks one; then words. */
CN_API cn_tokens *cn_pairs_tokenize(const char *sentence);
/* A tokenised sentence as such a data set has it: (1, steps) int64; *length gets its valid length. */
CN_API cn_tensor *cn_pairs_encode(const cn_vocab *v, const cn_tokens *tokens, int64_t steps,
                                  int64_t *length);

/* ---- generating text ------------------------------------------------------------------------------ */

/* One step of a model for several beams at once: beam i continues what was beam parent[i] with token[i];
   its state must be reordered so. Writes log probabilities, (beams, vocabulary). The first call is for
   one beam, with parent 0 and the first token. False: an error is set. */
typedef bool cn_decode_step(void *context, int64_t beams, const int64_t *parent,
                            const int64_t *token, float *log_probs);

typedef struct cn_beam_options {
    size_t size;
    cn_decode_step *step;
    void *context;
    cn_named_only named_only_;
    int64_t vocabulary, bos, eos,
        steps;     /* the size; first and last token (eos -1: none); how long */
    int64_t beams; /* 1: greedy search */
    double alpha;  /* scores are log p / length^alpha; the book: 0.75 */
    int64_t keep;  /* how many results; 0: as many as beams */
} cn_beam_options;

/* A finished sequence, without its first and with its last token. */
typedef struct cn_hypothesis {
    int64_t *ids;
    int64_t length;
    double log_prob, score;
} cn_hypothesis;

/* Every candidate that was kept at some length counts as a result, as in the book (D2L 10.8), if it ended
   or is as long as may be, or with `eos` -1 at any length. Best first, into out[keep]; how many, or -1.
   Free each with cn_hypothesis_free(). Costs steps x beams x vocabulary. */
CN_API int64_t cn_beam_search_with(const cn_beam_options *o, cn_hypothesis *out);
#define cn_beam_search(out, ...)                                                                   \
    cn_beam_search_with(&(cn_beam_options){ .size = sizeof(cn_beam_options), __VA_ARGS__ }, out)
CN_API void cn_hypothesis_free(cn_hypothesis *h);

/* A token drawn from scores (logits), of which -INFINITY excludes its token. Temperature 0: the most likely
   one. CN_EINVALID for numbers that are none, also for scores without a finite maximum. */
typedef struct cn_sample_options {
    size_t size;
    const float *scores;
    int64_t n;
    cn_rng *rng; /* NULL: the thread's default generator */
    cn_named_only named_only_;
    double temperature; /* given as it is: >= 0 */
    int64_t top_k;      /* only the k most likely; 0: all */
    double top_p;       /* only the most likely that together have this probability; 0, 1: all */
} cn_sample_options;

CN_API int64_t cn_sample_token_with(const cn_sample_options *o); /* -1: an error is set */
#define cn_sample_token(...)                                                                       \
    cn_sample_token_with(&(cn_sample_options){ .size = sizeof(cn_sample_options), __VA_ARGS__ })

/* ---- scoring text against a reference --------------------------------------------------------------- */

/* exp(min(0, 1 - len_ref / len_pred)) times the product over n = 1 .. k of p_n^(1/2^n), with clipped
   counts (Papineni et al., 2002, weighted as in D2L 10.7.6). NaN: an error is set. */
CN_API double cn_bleu(const cn_tokens *prediction, const cn_tokens *reference, int64_t k);

/* Overlap of n-grams (n >= 1), or of the longest common subsequence (n = 0: ROUGE-L). Lin, 2004. */
typedef struct cn_rouge_score {
    double precision, recall, f1;
} cn_rouge_score;
CN_API cn_rouge_score cn_rouge(const cn_tokens *prediction, const cn_tokens *reference, int64_t n);

CN_END_DECLS
#endif
