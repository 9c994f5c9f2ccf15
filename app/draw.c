/* draw.c - figures on the terminal. */
#include "app/draw.h"

#include "app/app.h"

#include <stdio.h>
#include <stdlib.h>

bool draw_on_terminal(const cn_figure *f)
{
    int width = terminal_width();
    cn_text_options o = { .size = sizeof o,
                          .width = width > 100  ? 100
                                   : width < 24 ? 24
                                                : width,
                          .colour = colour_wanted() };
    size_t n = cn_figure_text(f, &o, NULL, 0);
    char *text = n ? malloc(n + 1) : NULL;
    if (!text) return n ? cn_fail(CN_ENOMEM, "no memory for a figure") : false;
    cn_figure_text(f, &o, text, n + 1);
    fputs(text, stdout);
    free(text);
    return true;
}
