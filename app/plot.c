/* plot.c - cenote plot */
#include "app/app.h"

#include <cenote/train.h>

#include <stdio.h>
#include <stdlib.h>

static const Option options[] = {
    { "out", "FILE", OPT_TEXT, NULL, 0, 0,
      "write .svg, .png or .pdf instead of drawing on the terminal" },
    { "title", "TEXT", OPT_TEXT, NULL, 0, 0, "title of the figure" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

static bool draw_on_terminal(const cn_figure *f)
{
    int width = terminal_width();
    cn_text_options o = { .size = sizeof o,
                          .width = width > 100  ? 100
                                   : width < 24 ? 24
                                                : width,
                          .colour = colour_wanted() };
    size_t n = cn_figure_text(f, &o, NULL, 0);
    char *text = n ? malloc(n + 1) : NULL;
    if (!text) return false;
    cn_figure_text(f, &o, text, n + 1);
    fputs(text, stdout);
    free(text);
    return true;
}

static int run(const Args *args)
{
    cn_figure *f = cn_learning_curves(operand(args, 0), text_of(args, "title"));
    bool ok =
        f && (given(args, "out") ? cn_figure_save(f, text_of(args, "out")) : draw_on_terminal(f));
    cn_figure_free(f);
    return ok ? EXIT_OK : failed(args);
}

const Command command_plot = {
    .name = "plot",
    .operands = "DIR",
    .least = 1,
    .most = 1,
    .about = "draw the learning curves of a run",
    .examples = "cenote plot runs/lenet\ncenote plot runs/lenet --out curves.pdf",
    .options = options,
    .run = run,
};
