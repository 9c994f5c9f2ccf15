/* buffer.h - bytes that are appended to. */
#ifndef CN_PLOT_BUFFER_H
#define CN_PLOT_BUFFER_H

#include <cenote/base.h>

/* Zero-initialise it; release with cn_free(b.data). After a failed allocation (recorded as an
   error) `failed` is set and everything further is ignored: one check at the end is enough. */
typedef struct Buffer {
    char *data;
    size_t len, room;
    bool failed;
} Buffer;

bool cn_buffer_add(Buffer *b, const void *bytes, size_t n);
void cn_buffer_text(Buffer *b, const char *text);
void cn_buffer_repeat(Buffer *b, const char *text, int times);

#endif
