/* text.c - figures on a terminal: words, colours, and one panel below the other. */
#include "plot/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

/* ---- words -------------------------------------------------------------------------------- */

/* Decodes valid UTF-8; returns the bytes used. */
static int decode(const char *s, uint32_t *code)
{
    const unsigned char *u = (const unsigned char *)s;
    int n = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    *code = n == 1 ? u[0] : u[0] & (0xffu >> (n + 1));
    for (int i = 1; i < n; i++) *code = *code << 6 | (u[i] & 0x3f);
    return n;
}

static int columns_of(uint32_t code)
{
    static const uint32_t wide[][2] = { { 0x1100, 0x115f },   { 0x2e80, 0x303e },
                                        { 0x3041, 0xa4cf },   { 0xac00, 0xd7a3 },
                                        { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },
                                        { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },
                                        { 0x1f300, 0x1faff }, { 0x20000, 0x3fffd } };
    if ((code >= 0x300 && code < 0x370) || (code >= 0x200b && code < 0x2010)) return 0;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (code >= wide[i][0] && code <= wide[i][1]) return 2;
    return 1;
}

int cn_columns(const char *text)
{
    int columns = 0;
    uint32_t code;
    while (*text && *text != '\n' && columns < 100000) {
        text += decode(text, &code);
        columns += columns_of(code);
    }
    return columns;
}

int cn_text_put(Terminal *t, const char *text, int columns)
{
    int used = 0;
    uint32_t code;
    while (*text && *text != '\n') {
        int n = decode(text, &code);
        if (used + columns_of(code) > columns) break;
        used += columns_of(code);
        cn_buffer_add(&t->out, text, (size_t)n);
        text += n;
    }
    return used;
}

void cn_put_spaces(Terminal *t, int n)
{
    cn_buffer_repeat(&t->out, " ", n);
}

void cn_put_centred(Terminal *t, const char *text, int columns)
{
    cn_put_spaces(t, (columns - cn_columns(text)) / 2);
    cn_text_put(t, text, columns);
}

void cn_put_right(Terminal *t, const char *text, int columns)
{
    cn_put_spaces(t, columns - cn_columns(text));
    cn_text_put(t, text, columns);
}

void cn_put_line(Terminal *t, const char *text)
{
    if (!text) return;
    cn_put_centred(t, text, t->width);
    cn_buffer_text(&t->out, "\n");
}

/* ---- colours ------------------------------------------------------------------------------ */

void cn_put_ansi(Terminal *t, const char *code)
{
    if (!t->colour) return;
    cn_buffer_text(&t->out, "\033[");
    cn_buffer_text(&t->out, code);
    cn_buffer_text(&t->out, "m");
}

void cn_put_reset(Terminal *t)
{
    cn_put_ansi(t, "0");
}

/* The terminal's own colours, which suit its background: blue, magenta, green, red, ... */
void cn_put_series_colour(Terminal *t, size_t i)
{
    static const char *const codes[] = { "94", "35", "32", "31", "33", "36" };
    cn_put_ansi(t, codes[i % (sizeof codes / sizeof *codes)]);
}

void cn_put_rgb(Terminal *t, Colour c, bool background)
{
    char code[32];
    snprintf(code, sizeof code, "%d;2;%d;%d;%d", background ? 48 : 38, (int)(c.r * 255 + 0.5),
             (int)(c.g * 255 + 0.5), (int)(c.b * 255 + 0.5));
    cn_put_ansi(t, code);
}

const char *cn_shade(double level)
{
    static const char *const shades[] = { " ", "░", "▒", "▓", "█" };
    return isnan(level) ? "·" : shades[(int)fmin(4, level * 5)];
}

/* ---- the figure --------------------------------------------------------------------------- */

static bool put_panel(Terminal *t, const Panel *p)
{
    cn_put_line(t, p->title);
    if (p->kind == PANEL_CURVES) return cn_text_curves(t, &p->curves);
    if (p->kind == PANEL_HEAT) cn_text_heat(t, &p->heat);
    else if (p->kind == PANEL_SURFACE) cn_text_heat(t, &p->surface.heat);
    else cn_text_images(t, &p->images);
    return true;
}

static bool put_figure(Terminal *t, const cn_figure *f)
{
    bool ok = true;
    if (f->title) {
        cn_put_ansi(t, "1");
        cn_put_centred(t, f->title, t->width);
        cn_put_reset(t);
        cn_buffer_text(&t->out, "\n");
    }
    for (size_t i = 0; ok && i < f->n_panels; i++) {
        if (i) cn_buffer_text(&t->out, "\n");
        ok = put_panel(t, &f->panels[i]);
    }
    return ok && cn_buffer_add(&t->out, "", 1); /* with the final 0, there is always something */
}

static bool read_options(Terminal *t, const cn_text_options *given)
{
    cn_text_options o = { 0 };
    size_t size = given && given->size ? given->size : sizeof o;
    if (given) memcpy(&o, given, size < sizeof o ? size : sizeof o);
    *t = (Terminal){ .width = o.width ? o.width : 72, .height = o.height ? o.height : 16 };
    t->colour = o.colour;
    if (t->width >= 24 && t->width <= 1000 && t->height >= 4 && t->height <= 1000) return true;
    return cn_fail(CN_EINVALID, "cn_figure_text: %d x %d characters, must be 24 x 4 to 1000 x 1000",
                   t->width, t->height);
}

size_t cn_figure_text(const cn_figure *f, const cn_text_options *o, char *buf, size_t room)
{
    Terminal t;
    if (!f || (!buf && room)) {
        cn_fail(CN_EINVALID, "cn_figure_text: the %s is NULL", f ? "buffer" : "figure");
        return 0;
    }
    if (buf && room) *buf = 0;
    if (!read_options(&t, o)) return 0;
    size_t length = put_figure(&t, f) ? t.out.len - 1 : 0;
    if (length && room) {
        size_t n = length < room ? length : room - 1;
        memcpy(buf, t.out.data, n);
        buf[n] = 0;
    }
    cn_free(t.out.data);
    return length;
}
