/* help.c - --help, from the table of commands. */
#include "app/commands.h"
#include "app/options.h"

#include <ctype.h>
#include <string.h>

enum { MAX_WIDTH = 100, GAP = 2, OPTION_COLUMN = 26, COMMAND_COLUMN = 14, FAR_AWAY = 1000000 };

static int page_width(void)
{
    int width = terminal_width();
    return width < MAX_WIDTH ? width : MAX_WIDTH;
}

/* Characters of UTF-8: continuation bytes do not count. */
static int characters(const char *text, size_t bytes)
{
    int n = 0;
    for (size_t i = 0; i < bytes; i++) n += ((unsigned char)text[i] & 0xC0) != 0x80;
    return n;
}

/* One line of text from `column` on, continued at `indent` where it would pass the page's width. */
static void put_wrapped(FILE *out, const char *text, size_t length, int column, int indent)
{
    const char *end = text + length;
    bool fresh = true;
    while (text < end) {
        size_t bytes = strcspn(text, " \n");
        int wide = characters(text, bytes);
        if (!fresh && column + 1 + wide > page_width()) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
            fresh = true;
        }
        fprintf(out, "%s%.*s", fresh ? "" : " ", (int)bytes, text);
        column += wide + !fresh;
        fresh = false;
        text += bytes;
        text += strspn(text, " ");
        if (*text == '\n') break;
    }
    putc('\n', out);
}

/* Paragraphs, a line each; a line that starts with a blank stays as it is. */
static void put_paragraphs(FILE *out, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (*text == ' ') fprintf(out, "%.*s\n", (int)length, text);
        else put_wrapped(out, text, length, 0, 0);
        text += length + (text[length] == '\n');
    }
}

/* "  left    right", with `right` aligned and wrapped in its column. */
static void put_entry(FILE *out, const char *left, const char *right, int column)
{
    int used = fprintf(out, "  %s", left);
    if (used + GAP > column) {
        putc('\n', out);
        used = 0;
    }
    fprintf(out, "%*s", column - used, "");
    put_wrapped(out, right, strlen(right), column, column);
}

void describe_command(const Command *c, char *buf, size_t room)
{
    snprintf(buf, room, "%c%s.", toupper((unsigned char)*c->about), c->about + 1);
}

/* A range whose end is far away tells nobody anything. */
void describe_option(const Option *o, char *buf, size_t room)
{
    bool ranged = o->argument && o->most > o->least && o->most < FAR_AWAY;
    if (ranged && o->preset)
        snprintf(buf, room, "%s (%g to %g; default: %s)", o->help, o->least, o->most, o->preset);
    else if (ranged) snprintf(buf, room, "%s (%g to %g)", o->help, o->least, o->most);
    else if (o->preset) snprintf(buf, room, "%s (default: %s)", o->help, o->preset);
    else snprintf(buf, room, "%s", o->help);
}

static void put_option(FILE *out, const Option *o)
{
    char left[80], right[400];
    snprintf(left, sizeof left, "--%s%s%s", o->name, o->argument ? " " : "",
             o->argument ? o->argument : "");
    describe_option(o, right, sizeof right);
    put_entry(out, left, right, OPTION_COLUMN);
}

static void put_options(const Command *command)
{
    const Option *o;
    int own = 0;
    while (command->options && command->options[own].name) own++;
    if (own) printf("\nOptions:\n");
    for (int i = 0; (o = option_at(command, i)); i++) {
        if (i == own) printf("\nOptions of every command:\n");
        put_option(stdout, o);
    }
}

static void put_examples(const char *line)
{
    printf("\nExamples:\n");
    for (; *line; line += strspn(line, "\n")) {
        size_t length = strcspn(line, "\n");
        printf("  %.*s\n", (int)length, line);
        line += length;
    }
}

void print_help(const Command *command)
{
    char about[200];
    printf("Usage: cenote %s%s%s [OPTION]...\n\n", command->name, *command->operands ? " " : "",
           command->operands);
    describe_command(command, about, sizeof about);
    put_wrapped(stdout, about, strlen(about), 0, 0);
    if (command->details) {
        putchar('\n');
        put_paragraphs(stdout, command->details);
    }
    put_options(command);
    if (command->examples) put_examples(command->examples);
}

void print_overview(FILE *out)
{
    fprintf(out, "Usage: cenote COMMAND [OPERAND]... [OPTION]...\n\n");
    fprintf(out, "Deep learning, dived into, in C.\n\nCommands:\n");
    for (int i = 0; commands[i]; i++)
        put_entry(out, commands[i]->name, commands[i]->about, COMMAND_COLUMN);
    fprintf(out,
            "\ncenote help COMMAND tells more about one; cenote --version tells the version.\n");
}

/* ---- cenote help --------------------------------------------------------------------------- */

static int run_help(const Args *args)
{
    const char *name = operand(args, 0);
    const Command *command = name ? command_named(name) : NULL;
    if (name && !command) return unknown_command(name);
    if (command) print_help(command);
    else print_overview(stdout);
    return EXIT_OK;
}

const Command command_help = {
    .name = "help",
    .operands = "[COMMAND]",
    .most = 1,
    .about = "explain a command",
    .examples = "cenote help train\n",
    .run = run_help,
    .instant = true,
};
