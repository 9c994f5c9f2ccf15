/* tokens.h - what is inside a list of tokens, and how one is made. */
#ifndef CN_TEXT_TOKENS_H
#define CN_TEXT_TOKENS_H

#include <cenote/text.h>

/* The bytes of all tokens, each ended by a 0, and where each begins. */
struct cn_tokens {
    char *bytes;
    size_t used, room;
    size_t *start;
    int64_t count;
    size_t start_room;
};

cn_tokens *cn_tokens_make(void);
/* Appends a token of so many bytes; false, with an error, when memory runs out. */
bool cn_tokens_add(cn_tokens *t, const char *token, size_t bytes);

/* A text of these bytes, which are checked; `what` they are, in messages. */
char *cn_text_from(const void *bytes, size_t size, const char *what);

/* Bytes of the UTF-8 character that begins here; text is valid and not at its end. */
size_t cn_character_bytes(const char *text);

#endif
