/* figure.c - the life of a figure and of its panels, and how what is given is copied. */
#include "plot/figure.h"

#include <string.h>

#include "core/memory.h"

/* ---- copying ------------------------------------------------------------------------------ */

/* Bytes of the UTF-8 sequence at s; 0 when it is none (or overlong, or a surrogate). */
static int sequence_length(const unsigned char *s)
{
    if (s[0] < 0x80) return 1;
    int n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if (s[0] == 0xe0 && s[1] < 0xa0) return 0;
    if (s[0] == 0xed && s[1] > 0x9f) return 0;
    if (s[0] == 0xf0 && s[1] < 0x90) return 0;
    if (s[0] == 0xf4 && s[1] > 0x8f) return 0;
    return n;
}

static bool is_control(const unsigned char *s)
{
    return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
}

bool cn_copy_text(char **out, const char *text, bool lines)
{
    *out = NULL;
    if (!text) return true;
    char *copy = cn_strdup(text);
    if (!copy) return false;
    unsigned char *to = (unsigned char *)copy;
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        int n = sequence_length(s);
        if (n && !(is_control(s) && !(lines && *s == '\n'))) {
            memcpy(to, s, (size_t)n);
            to += n;
        } else {
            *to++ = n ? ' ' : '?';
        }
        s += n ? n : 1;
    }
    *to = 0;
    *out = copy;
    return true;
}

bool cn_copy_texts(char ***out, const char *const *texts, size_t n, bool lines)
{
    *out = NULL;
    size_t bytes;
    if (!texts) return true;
    if (!cn_mul_size(n, sizeof **out, &bytes, "figure: texts")) return false;
    char **copies = cn_alloc_zeroed(bytes);
    if (!copies) return false;
    for (size_t i = 0; i < n; i++) {
        if (cn_copy_text(&copies[i], texts[i] ? texts[i] : "", lines)) continue;
        cn_free_texts(copies, n);
        return false;
    }
    *out = copies;
    return true;
}

void cn_free_texts(char **texts, size_t n)
{
    for (size_t i = 0; texts && i < n; i++) cn_free(texts[i]);
    cn_free(texts);
}

bool cn_check_array(const char *what, const void *given, size_t n, size_t item, size_t *bytes)
{
    if (n && !given) return cn_fail(CN_EINVALID, "figure: %s: %zu values, but NULL", what, n);
    return cn_mul_size(n, item, bytes, what);
}

bool cn_copy_options(void *out, size_t out_size, const void *options, const char *what)
{
    size_t size;
    if (!options) return cn_fail(CN_EINVALID, "%s: the options are NULL", what);
    memcpy(&size, options, sizeof size);
    if (size < sizeof size + sizeof(void *))
        return cn_fail(CN_EINVALID, "%s: .size is %zu, set it to that of the struct", what, size);
    memset(out, 0, out_size);
    memcpy(out, options, size < out_size ? size : out_size);
    return true;
}

bool cn_grow(void **items, size_t *room, size_t n, size_t item)
{
    size_t bytes, more = *room ? 2 * *room : 4;
    if (n < *room) return true;
    if (!cn_mul_size(more, item, &bytes, "figure")) return false;
    void *grown = cn_realloc(*items, bytes);
    if (!grown) return false;
    *items = grown;
    *room = more;
    return true;
}

/* ---- panels ------------------------------------------------------------------------------- */

static Panel *newest(cn_figure *f)
{
    return &f->panels[f->n_panels - 1];
}

static bool add_panel(cn_figure *f)
{
    void *panels = f->panels;
    if (!cn_grow(&panels, &f->room, f->n_panels, sizeof *f->panels)) return false;
    f->panels = panels;
    memset(&f->panels[f->n_panels++], 0, sizeof *f->panels);
    return true;
}

static void panel_free(Panel *p)
{
    cn_free(p->title);
    cn_curves_free(&p->curves);
    cn_heat_free(&p->heat);
    cn_images_free(&p->images);
    cn_surface_free(&p->surface);
}

Panel *cn_figure_open(cn_figure *f, PanelKind kind, const char *what)
{
    if (!f) {
        cn_fail(CN_EINVALID, "%s: the figure is NULL", what);
        return NULL;
    }
    bool shared = kind == PANEL_CURVES && newest(f)->kind == PANEL_CURVES;
    if (newest(f)->used && !shared && !add_panel(f)) return NULL;
    newest(f)->kind = kind;
    newest(f)->used = true;
    return newest(f);
}

bool cn_figure_panel(cn_figure *f, const char *title)
{
    char *copy;
    if (!f) return cn_fail(CN_EINVALID, "cn_figure_panel: the figure is NULL");
    if (!cn_copy_text(&copy, title, false)) return false;
    if ((newest(f)->used || newest(f)->title) && !add_panel(f)) {
        cn_free(copy);
        return false;
    }
    newest(f)->title = copy;
    return true;
}

/* ---- figures ------------------------------------------------------------------------------ */

cn_figure *cn_figure_new(const char *title)
{
    cn_figure *f = cn_alloc_zeroed(sizeof *f);
    if (!f) return NULL;
    if (cn_copy_text(&f->title, title, false) && add_panel(f)) return f;
    cn_figure_free(f);
    return NULL;
}

void cn_figure_free(cn_figure *f)
{
    if (!f) return;
    for (size_t i = 0; i < f->n_panels; i++) panel_free(&f->panels[i]);
    cn_free(f->panels);
    cn_free(f->title);
    cn_free(f);
}

bool cn_figure_columns(cn_figure *f, size_t columns)
{
    if (!f) return cn_fail(CN_EINVALID, "cn_figure_columns: the figure is NULL");
    f->columns = columns;
    return true;
}
