/* clean.c - reading text, and the book's cleaning of it. */
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "io/utf8.h"
#include "text/tokens.h"

/* How many bytes from the first on are UTF-8 without a 0. */
static size_t length_of_text(const char *bytes, size_t size)
{
    size_t n, good = 0;
    while (good < size && bytes[good] && (n = cn_utf8_length(bytes + good, size - good))) good += n;
    return good;
}

char *cn_text_from(const void *bytes, size_t size, const char *what)
{
    size_t good = length_of_text(bytes, size);
    if (good < size)
        return cn_fail(CN_EFORMAT, "%s: byte %zu: this is no UTF-8 text", what, good), NULL;
    char *text = cn_alloc(size + 1);
    if (text) {
        memcpy(text, bytes, size);
        text[size] = 0;
    }
    return text;
}

char *cn_text_read(const char *path)
{
    cn_mapping m;
    if (!cn_map_file(path, &m)) return NULL;
    char *text = cn_text_from(m.bytes, m.size, path);
    cn_unmap_file(&m);
    return text;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char *cn_text_clean(const char *text)
{
    if (!text) return NULL;
    char *clean = cn_alloc(strlen(text) + 1), *to = clean;
    bool pending = false, begun = false; /* a blank that the next letter of this line brings */
    for (; clean && *text; text++) {
        if (*text == '\n') {
            *to++ = '\n';
            pending = begun = false;
        } else if (!is_letter(*text)) {
            pending = begun;
        } else {
            if (pending) *to++ = ' ';
            *to++ = (char)(*text | 0x20);
            pending = false;
            begun = true;
        }
    }
    if (clean) *to = 0;
    return clean;
}
