/* plot.c - cenote plot */
#include "app/app.h"
#include "app/draw.h"

#include <cenote/train.h>

static const Option options[] = {
    { "out", "FILE", OPT_TEXT, NULL, 0, 0,
      "write .svg, .png or .pdf instead of drawing on the terminal" },
    { "title", "TEXT", OPT_TEXT, NULL, 0, 0, "title of the figure" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

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
