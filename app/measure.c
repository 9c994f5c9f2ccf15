/* measure.c - what train and bench share to save time or memory, and to see where it goes. */
#include "app/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cn_dtype amp_named(const char *name)
{
    if (!*name) return CN_BOOL;
    if (strcmp(name, "bf16") == 0 || strcmp(name, "bfloat16") == 0) return CN_BF16;
    if (strcmp(name, "f16") == 0 || strcmp(name, "float16") == 0) return CN_F16;
    cn_fail(CN_EINVALID, "--amp: bf16 and f16 are possible, not '%.20s'", name);
    return CN_BOOL;
}

/* As many segments as each has layers keep least. */
int config_segments(const Config *c, const cn_module *net)
{
    int layers = net ? cn_module_children(net) : 0;
    if (!c->recompute) return 0;
    return layers < 2 ? 1 : (int)lround(sqrt((double)layers));
}

bool profile_begin(const Args *args)
{
    return !given(args, "profile") || cn_profile_start();
}

static bool print_table(FILE *to)
{
    double peak = cn_profile_peak();
    size_t n = cn_profile_table(peak, NULL, 0);
    char *text = n ? malloc(n + 1) : NULL;
    if (!text) return !n || cn_fail(CN_ENOMEM, "profile: out of memory");
    cn_profile_table(peak, text, n + 1);
    fprintf(to, "%sa product of 1024 x 1024 runs at %.1f GF/s\n", text, peak * 1e-9);
    free(text);
    return true;
}

/* The time line is kept when the run was interrupted or failed, too: it may show why. */
bool profile_end(const Args *args, bool ok)
{
    if (!given(args, "profile")) return true;
    bool saved = cn_profile_stop() && cn_profile_save(text_of(args, "profile"));
    return saved && (!ok || print_table(json_wanted(args) ? stderr : stdout));
}
