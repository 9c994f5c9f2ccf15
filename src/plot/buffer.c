/* buffer.c - bytes that are appended to. */
#include "plot/buffer.h"

#include <string.h>

#include "core/memory.h"

static bool reserve(Buffer *b, size_t extra)
{
    if (b->failed) return false;
    if (extra <= b->room - b->len) return true;
    size_t need = b->len + extra;
    size_t room = need > SIZE_MAX / 2 ? need : 2 * need + 64;
    char *data = need < extra ? NULL : cn_realloc(b->data, room);
    if (!data) {
        b->failed = true;
        return cn_fail(CN_ENOMEM, "figure: no memory for %zu more bytes of output", extra);
    }
    b->data = data;
    b->room = room;
    return true;
}

bool cn_buffer_add(Buffer *b, const void *bytes, size_t n)
{
    if (!reserve(b, n)) return false;
    if (n) memcpy(b->data + b->len, bytes, n);
    b->len += n;
    return true;
}

void cn_buffer_text(Buffer *b, const char *text)
{
    cn_buffer_add(b, text, strlen(text));
}

void cn_buffer_repeat(Buffer *b, const char *text, int times)
{
    for (int i = 0; i < times; i++) cn_buffer_text(b, text);
}
