/* manpage.c - the man page, from the table of commands. */
#include "app/commands.h"
#include "app/options.h"

#include <cenote/base.h>
#include <string.h>

typedef struct {
    const char *name, *meaning;
} Entry;

static const Entry exits[] = {
    { "0", "all is well" },
    { "1", "the work failed: training diverged, memory ran out, a check did not hold" },
    { "2", "an unknown command or option, or a value that makes no sense" },
    { "65", "a damaged file" },
    { "66", "there is no such file, model or data set" },
    { "69", "this build cannot do that" },
    { "74", "something could not be read or written" },
    { "130", "interrupted; what could be saved was saved" },
    { NULL, NULL },
};

static const Entry variables[] = {
    { "CENOTE_DATA", "the folder where data sets are looked for first" },
    { "CENOTE_NUM_THREADS", "threads to compute with, where --threads is not given" },
    { "CENOTE_ISA", "at most these instructions: avx2, or none for no vector kernels" },
    { "CENOTE_PROVIDERS", "only these providers of kernels, separated by commas" },
    { "CENOTE_VERBOSE", "1: print which kernel was chosen for what, and why" },
    { "XDG_CACHE_HOME", "the folder of the cache; ~/.cache where it is not set" },
    { "NO_COLOR", "no colours on the terminal" },
    { "COLUMNS", "the width of the terminal" },
    { NULL, NULL },
};

/* Text of which roff takes nothing for a request of its own. */
static void put_text(const char *text, size_t length)
{
    if (length && (*text == '.' || *text == '\'')) printf("\\&");
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\') printf("\\e");
        else if (text[i] == '-') printf("\\-");
        else putchar(text[i]);
    }
}

static void put_line(const char *text)
{
    put_text(text, strlen(text));
    putchar('\n');
}

static void put_paragraphs(const char *text)
{
    bool literal = false;
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (length && literal != (*text == ' ')) {
            literal = !literal;
            printf(literal ? ".PP\n.nf\n" : ".fi\n");
        }
        if (!literal && length) printf(".PP\n");
        put_text(text, length);
        if (length || literal) putchar('\n');
        text += length + (text[length] == '\n');
    }
    if (literal) printf(".fi\n");
}

static void put_option(const Option *o)
{
    char text[400];
    printf(".TP\n\\fB\\-\\-");
    put_text(o->name, strlen(o->name));
    printf("\\fR");
    if (o->argument) {
        printf(" \\fI");
        put_text(o->argument, strlen(o->argument));
        printf("\\fR");
    }
    describe_option(o, text, sizeof text);
    putchar('\n');
    put_line(text);
}

static void put_examples(const char *line)
{
    printf(".PP\n.nf\n");
    for (; *line; line += strspn(line, "\n")) {
        size_t length = strcspn(line, "\n");
        printf("    ");
        put_text(line, length);
        putchar('\n');
        line += length;
    }
    printf(".fi\n");
}

static void put_command(const Command *c)
{
    char about[200];
    printf(".SS \"cenote %s%s%s\"\n", c->name, *c->operands ? " " : "", c->operands);
    describe_command(c, about, sizeof about);
    put_line(about);
    if (c->details) put_paragraphs(c->details);
    for (const Option *o = c->options; o && o->name; o++) put_option(o);
    if (c->examples) put_examples(c->examples);
}

static void put_entries(const char *section, const Entry *entry)
{
    printf(".SH %s\n", section);
    for (; entry->name; entry++) {
        printf(".TP\n.B %s\n", entry->name);
        put_line(entry->meaning);
    }
}

static void put_head(void)
{
    printf(".TH CENOTE 1 \"\" \"cenote %s\" \"User Commands\"\n", cn_version());
    printf(".SH NAME\ncenote \\- deep learning, dived into, in C\n");
    printf(".SH SYNOPSIS\n.B cenote\n.I COMMAND\n[\\fIOPERAND\\fR]... [\\fIOPTION\\fR]...\n");
    printf(".SH DESCRIPTION\n");
    put_line("Trains, evaluates and shows the networks of Dive into Deep Learning. Results go to "
             "standard output, everything else to standard error. Options may stand anywhere after "
             "the command; -- ends them.");
}

static int run_man(const Args *args)
{
    (void)args;
    put_head();
    printf(".SH COMMANDS\n");
    for (int i = 0; commands[i]; i++) put_command(commands[i]);
    printf(".SH OPTIONS OF EVERY COMMAND\n");
    const Option *common;
    for (int i = 0; (common = common_option(i)); i++) put_option(common);
    put_entries("EXIT STATUS", exits);
    put_entries("ENVIRONMENT", variables);
    return EXIT_OK;
}

const Command command_man = {
    .name = "man",
    .operands = "",
    .about = "print the man page",
    .examples = "cenote man | man -l -\n",
    .run = run_man,
    .instant = true,
};
