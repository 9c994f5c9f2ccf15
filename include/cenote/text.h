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
#include "tensor.h"

CN_BEGIN_DECLS

/* ---- text ---------------------------------------------------------------------------------- */

/* A whole file, ended by a 0; the caller frees it with cn_text_free(). Errors: CN_EIO; CN_EFORMAT,
   with the position, for what is not UTF-8 or holds a 0. */
CN_API char *cn_text_read(const char *path);
/* Letters only, lower case, single blanks between words, line by line: the book's
   re.sub('[^A-Za-z]+', ' ', line).strip().lower(). A new text. D2L 9.2. */
CN_API char *cn_text_clean(const char *text);
CN_API void cn_text_free(char *text); /* NULL is fine */

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

CN_END_DECLS
#endif
