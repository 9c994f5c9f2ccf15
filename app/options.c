/* options.c - reading a command line by the table of its command. */
#include "app/options.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Option common_options[] = {
    { "json", NULL, OPT_FLAG, NULL, 0, 0, "print JSON on standard output" },
    { "threads", "N", OPT_INT, NULL, 0, 1024, "threads to compute with; 0: one for each core" },
    { "help", NULL, OPT_FLAG, NULL, 0, 0, "show this help" },
};

const Option *common_option(int i)
{
    return i < (int)(sizeof common_options / sizeof common_options[0]) ? &common_options[i] : NULL;
}

const Option *option_at(const Command *command, int i)
{
    const Option *o = command->options;
    for (; o && o->name; o++)
        if (i-- == 0) return o;
    return common_option(i);
}

/* The number of the option called by the first `length` bytes of `name`, or -1. */
static int find_option(const Command *command, const char *name, size_t length)
{
    const Option *o;
    for (int i = 0; (o = option_at(command, i)); i++)
        if (strncmp(o->name, name, length) == 0 && !o->name[length]) return i;
    return -1;
}

/* ---- values -------------------------------------------------------------------------------- */

static bool read_int(const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return !errno && end != text && !*end;
}

/* Decimal only: no infinity, no NaN, no hexadecimal digits. */
static bool read_float(const char *text, double *value)
{
    char *end;
    if (text[strspn(text, "+-.0123456789eE")]) return false;
    *value = strtod(text, &end);
    return end != text && !*end && isfinite(*value);
}

static bool value_fits(const Option *o, const char *text)
{
    double value;
    int64_t whole;
    if (o->type == OPT_TEXT) return *text;
    if (o->type == OPT_INT) {
        if (!read_int(text, &whole)) return false;
        value = (double)whole;
    } else if (!read_float(text, &value)) {
        return false;
    }
    return (o->least == 0 && o->most == 0) || (value >= o->least && value <= o->most);
}

void describe_value(const Option *o, char *buf, size_t room)
{
    const char *kind = o->type == OPT_INT ? "a whole number" : "a number";
    if (o->type == OPT_TEXT) snprintf(buf, room, "a text");
    else if (o->least == 0 && o->most == 0) snprintf(buf, room, "%s", kind);
    else if (isinf(o->most)) snprintf(buf, room, "%s of at least %.15g", kind, o->least);
    else snprintf(buf, room, "%s from %.15g to %.15g", kind, o->least, o->most);
}

/* ---- the command line ---------------------------------------------------------------------- */

bool help_asked(int argc, char *const *argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    return false;
}

static bool unknown_option(const Args *args, const char *word, size_t length)
{
    const char *known[MAX_OPTIONS + 1] = { NULL };
    const Option *o;
    for (int i = 0; (o = option_at(args->command, i)); i++) known[i] = o->name;
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)length, word + strspn(word, "-"));
    const char *near = nearest(name, known);
    failed_with(args, EXIT_USAGE, "%s: there is no option %s; %s%s (cenote help %s)",
                args->command->name, word, near ? "did you mean --" : "see the list of options",
                near ? near : "", args->command->name);
    return false;
}

static bool set_value(Args *args, int number, const char *text)
{
    const Option *o = option_at(args->command, number);
    const char *command = args->command->name;
    char wanted[96];
    if (args->value[number])
        failed_with(args, EXIT_USAGE, "%s: --%s is given twice", command, o->name);
    else if (o->type != OPT_FLAG && !value_fits(o, text)) {
        describe_value(o, wanted, sizeof wanted);
        if (o->type == OPT_TEXT)
            failed_with(args, EXIT_USAGE, "%s: --%s needs %s that is not empty", command, o->name,
                        wanted);
        else
            failed_with(args, EXIT_USAGE, "%s: --%s must be %s, not '%s'", command, o->name, wanted,
                        text);
    } else {
        args->value[number] = text;
        return true;
    }
    return false;
}

/* argv[0] begins with "--". Returns how many words it took; 0: an error. */
static int read_option(Args *args, int argc, char **argv)
{
    const char *name = argv[0] + 2;
    size_t length = strcspn(name, "=");
    const char *text = name[length] ? name + length + 1 : NULL;
    int number = find_option(args->command, name, length);
    if (number < 0) return unknown_option(args, argv[0], length);

    const Option *o = option_at(args->command, number);
    if (o->type == OPT_FLAG) {
        if (!text) return set_value(args, number, "");
        failed_with(args, EXIT_USAGE, "%s: --%s takes no value", args->command->name, o->name);
        return 0;
    }
    if (text) return set_value(args, number, text);
    if (argc > 1 && strncmp(argv[1], "--", 2) != 0) return set_value(args, number, argv[1]) ? 2 : 0;
    failed_with(args, EXIT_USAGE, "%s: --%s needs a value: --%s %s", args->command->name, o->name,
                o->name, o->argument);
    return 0;
}

static bool operands_fit(const Args *args)
{
    const Command *c = args->command;
    const char *gap = *c->operands ? " " : "";
    if (args->n_operands < c->least)
        failed_with(args, EXIT_USAGE, "%s: %s is missing; usage: cenote %s%s%s", c->name,
                    args->n_operands ? "an operand" : c->operands, c->name, gap, c->operands);
    else if (c->most >= 0 && args->n_operands > c->most)
        failed_with(args, EXIT_USAGE, "%s: '%s' is too much; usage: cenote %s%s%s", c->name,
                    args->operands[c->most], c->name, gap, c->operands);
    else return true;
    return false;
}

/* --json counts wherever it stands, so that the errors before it are told in JSON, too. */
static bool json_asked(int argc, char *const *argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0) return true;
    return false;
}

bool parse_args(const Command *command, int argc, char **argv, Args *out)
{
    *out = (Args){ .command = command, .json = json_asked(argc, argv), .operands = argv };
    bool options_over = false;
    for (int i = 0; i < argc;) {
        char *word = argv[i];
        if (options_over || word[0] != '-' || !word[1]) {
            argv[out->n_operands++] = word;
            i++;
        } else if (strcmp(word, "--") == 0) {
            options_over = true;
            i++;
        } else {
            bool is_long = word[1] == '-';
            int taken = is_long ? read_option(out, argc - i, argv + i)
                                : unknown_option(out, word, strlen(word));
            if (!taken) return false;
            i += taken;
        }
    }
    return operands_fit(out);
}

/* ---- what commands ask --------------------------------------------------------------------- */

static int number_of(const Args *args, const char *name)
{
    int number = find_option(args->command, name, strlen(name));
    assert(number >= 0);
    return number;
}

int operand_count(const Args *args)
{
    return args->n_operands;
}

const char *operand(const Args *args, int i)
{
    return i >= 0 && i < args->n_operands ? args->operands[i] : NULL;
}

bool given(const Args *args, const char *option)
{
    return args->value[number_of(args, option)];
}

bool flag(const Args *args, const char *option)
{
    return given(args, option);
}

const char *text_of(const Args *args, const char *option)
{
    int number = number_of(args, option);
    const char *text = args->value[number];
    return text ? text : option_at(args->command, number)->preset;
}

int64_t int_of(const Args *args, const char *option)
{
    const char *text = text_of(args, option);
    int64_t value = 0;
    return text && read_int(text, &value) ? value : 0;
}

double float_of(const Args *args, const char *option)
{
    const char *text = text_of(args, option);
    double value = 0;
    return text && read_float(text, &value) ? value : 0;
}

bool json_wanted(const Args *args)
{
    return args && args->json;
}
