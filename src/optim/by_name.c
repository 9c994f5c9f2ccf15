/* by_name.c - optimisers and schedules from one line of text: "SGD lr=0.1 momentum=0.9". */
#include "optim/sched.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 512, MOST_ARGS = CN_MAX_ARGS };

/* The text taken apart: a name, and arguments whose values point into it. */
typedef struct {
    char text[LINE];
    cn_ffi_arg args[MOST_ARGS];
    cn_ffi_value items[MOST_ARGS][CN_MAX_DIMS];
    int n;
} Words;

/* Cuts off the first word: it ends at a blank, comma or colon outside brackets. */
static char *next_word(char **rest)
{
    char *start = *rest + strspn(*rest, " ,:"), *p = start;
    for (int depth = 0; *p && (depth > 0 || !strchr(" ,:", *p)); p++)
        depth += (*p == '(' || *p == '[') - (*p == ')' || *p == ']');
    *rest = *p ? p + 1 : p;
    *p = 0;
    return *start ? start : NULL;
}

static bool read_arg(Words *w, char *word)
{
    char *value = strchr(word, '=');
    if (!value || value == word || w->n == MOST_ARGS)
        return cn_fail(CN_EINVALID, "%s: '%.40s' is not NAME=VALUE", w->text, word);
    *value++ = 0;
    w->args[w->n].name = word;
    /* What is a word stays where it is. */
    return cn_value_parse(value, &w->args[w->n].value, w->items[w->n], value, strlen(value) + 1) &&
           ++w->n;
}

/* The name then stands alone at the beginning of w->text. */
static bool take_apart(const char *what, const char *text, Words *w)
{
    char *rest = w->text, *word;
    if (!text || snprintf(w->text, sizeof w->text, "%s", text) >= (int)sizeof w->text)
        return cn_fail(CN_EINVALID, "%s: its description is missing, or longer than %d bytes", what,
                       LINE - 1);
    w->n = 0;
    word = next_word(&rest);
    if (!word) return cn_fail(CN_EINVALID, "%s: its name is missing", what);
    memmove(w->text, word, strlen(word) + 1);
    while ((word = next_word(&rest)))
        if (!read_arg(w, word)) return false;
    return true;
}

static bool same_letters(const char *a, const char *b)
{
    while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b)) a++, b++;
    return *a == *b;
}

cn_optim *cn_optim_by_name(cn_module *net, const char *text)
{
    Words w;
    if (!take_apart("optimiser", text, &w)) return NULL;
    const char *name = w.text;
    for (int i = 0; cn_optim_classes[i]; i++)
        if (same_letters(cn_optim_classes[i]->name, name)) name = cn_optim_classes[i]->name;
    cn_optim *o = cn_optim_create(cn_optim_class_find(name), w.args, w.n);
    return net ? cn_optim_over(o, net) : o;
}

cn_sched *cn_sched_by_name(cn_optim *o, const char *text)
{
    Words w;
    if (!take_apart("schedule", text, &w)) return NULL;
    const char *name = w.text;
    for (int i = 0; cn_sched_classes[i]; i++)
        if (same_letters(cn_sched_classes[i]->name, name)) name = cn_sched_classes[i]->name;
    return cn_sched_create(name, o, w.args, w.n);
}
