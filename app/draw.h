/* draw.h - figures on the terminal. */
#ifndef APP_DRAW_H
#define APP_DRAW_H

#include <cenote/plot.h>

bool draw_on_terminal(const cn_figure *f); /* on stdout; false: an error is set */

#endif
