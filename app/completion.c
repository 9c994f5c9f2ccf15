/* completion.c - completion for bash, zsh and fish, from the table of commands. */
#include "app/commands.h"
#include "app/options.h"

#include <cenote/data.h>
#include <cenote/ffi.h>
#include <models/models.h>
#include <string.h>

/* ---- what can stand for a placeholder ------------------------------------------------------ */

typedef enum { OF_NOTHING, OF_FILES, OF_WORDS, OF_MODELS, OF_DATA, OF_OPS, OF_COMMANDS } Choice;

static Choice choice_of(const char *placeholder)
{
    if (strchr(placeholder, '|')) return OF_WORDS;
    if (strstr(placeholder, "MODEL")) return OF_MODELS;
    if (strstr(placeholder, "OP")) return OF_OPS;
    if (strstr(placeholder, "COMMAND")) return OF_COMMANDS;
    if (strstr(placeholder, "FILE") || strstr(placeholder, "DIR")) return OF_FILES;
    return OF_NOTHING;
}

static Choice choice_for(const Option *o)
{
    return strcmp(o->name, "data") == 0 ? OF_DATA : choice_of(o->argument);
}

/* "list|get|check NAME": the first word's alternatives. */
static void put_alternatives(const char *placeholder)
{
    for (; *placeholder && *placeholder != ' '; placeholder++)
        if (*placeholder != '[' && *placeholder != ']')
            putchar(*placeholder == '|' ? ' ' : *placeholder);
}

static void put_words(Choice choice, const char *placeholder)
{
    cn_data_info info;
    if (choice == OF_WORDS) put_alternatives(placeholder);
    for (int i = 0; choice == OF_MODELS && cn_models[i]; i++) printf("%s ", cn_models[i]->name);
    for (int i = 0; choice == OF_DATA && i < cn_data_count(); i++)
        if (cn_data_at(i, &info)) printf("%s ", info.name);
    for (int i = 0; choice == OF_OPS && i < cn_ffi_op_count(); i++)
        printf("%s ", cn_ffi_op_name(i));
    for (int i = 0; choice == OF_COMMANDS && commands[i]; i++) printf("%s ", commands[i]->name);
}

/* Text between single quotes: the shell ends them with another, `escaped` gets a backslash. */
static void put_quoted(const char *text, const char *escaped)
{
    for (; *text; text++) {
        if (*text == '\'') printf("'\\'");
        else if (strchr(escaped, *text)) putchar('\\');
        putchar(*text);
    }
}

/* ---- bash ---------------------------------------------------------------------------------- */

/* An assignment: to `files`, or of what can stand there to `words`. */
static void put_bash_choice(Choice choice, const char *placeholder)
{
    if (choice == OF_FILES) {
        printf("files=yes ;;\n");
        return;
    }
    printf("words=\"");
    put_words(choice, placeholder);
    printf("\" ;;\n");
}

static void put_bash_command(const Command *c)
{
    const Option *o;
    printf("    %s)\n        case $previous in\n", c->name);
    for (int i = 0; (o = option_at(c, i)); i++) {
        if (!o->argument) continue;
        printf("        --%s) ", o->name);
        put_bash_choice(choice_for(o), o->argument);
    }
    printf("        *)\n            case $current in\n            -*) words=\"");
    for (int i = 0; (o = option_at(c, i)); i++) printf("--%s ", o->name);
    printf("\" ;;\n            *) ");
    put_bash_choice(choice_of(c->operands), c->operands);
    printf("            esac ;;\n        esac ;;\n");
}

static void put_bash(void)
{
    printf("# bash completion for cenote: source <(cenote completion bash)\n"
           "_cenote()\n{\n"
           "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
           "    local words='' files=''\n"
           "    COMPREPLY=()\n"
           "    if [ \"$current\" = '=' ]; then current=''\n"
           "    elif [ \"$previous\" = '=' ]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
           "    if [ \"$COMP_CWORD\" = 1 ]; then set -- ''; else set -- \"${COMP_WORDS[1]}\"; fi\n"
           "    case $1 in\n    '') words=\"");
    put_words(OF_COMMANDS, "");
    printf("--help --version\" ;;\n");
    for (int i = 0; commands[i]; i++) put_bash_command(commands[i]);
    printf("    esac\n"
           "    if [ -n \"$files\" ]; then mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
           "    else mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\"); fi\n"
           "}\n"
           "complete -o filenames -F _cenote cenote\n");
}

/* ---- zsh ----------------------------------------------------------------------------------- */

static void put_zsh_values(Choice choice, const char *placeholder)
{
    putchar(':');
    put_quoted(placeholder, ":[]\\");
    putchar(':');
    if (choice == OF_FILES) {
        printf("_files");
        return;
    }
    putchar(choice == OF_NOTHING ? ' ' : '(');
    put_words(choice, placeholder);
    if (choice != OF_NOTHING) putchar(')');
}

static void put_zsh_command(const Command *c)
{
    const Option *o;
    printf("    %s)\n        _arguments", c->name);
    for (int i = 0; (o = option_at(c, i)); i++) {
        printf(" \\\n            '--%s%s[", o->name, o->argument ? "=" : "");
        put_quoted(o->help, "[]:\\");
        putchar(']');
        if (o->argument) put_zsh_values(choice_for(o), o->argument);
        putchar('\'');
    }
    if (*c->operands) {
        printf(" \\\n            '*");
        put_zsh_values(choice_of(c->operands), c->operands);
        putchar('\'');
    }
    printf(" ;;\n");
}

static void put_zsh(void)
{
    printf("#compdef cenote\n_cenote() {\n    local -a commands=(\n");
    for (int i = 0; commands[i]; i++) {
        printf("        '%s:", commands[i]->name);
        put_quoted(commands[i]->about, ":\\");
        printf("'\n");
    }
    printf("    )\n"
           "    if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
           "    local command=$words[2]\n"
           "    shift words\n"
           "    (( CURRENT-- ))\n"
           "    case $command in\n");
    for (int i = 0; commands[i]; i++) put_zsh_command(commands[i]);
    printf("    esac\n}\n"
           "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _cenote \"$@\"; "
           "else compdef _cenote cenote; fi\n");
}

/* ---- fish ---------------------------------------------------------------------------------- */

static void put_fish_command(const Command *c)
{
    const Option *o;
    printf("complete -c cenote -n __fish_use_subcommand -f -a %s -d '", c->name);
    put_quoted(c->about, "\\");
    printf("'\n");
    for (int i = 0; (o = option_at(c, i)); i++) {
        printf("complete -c cenote -n '__fish_seen_subcommand_from %s' -l %s", c->name, o->name);
        if (o->argument && choice_for(o) == OF_FILES) {
            printf(" -r -F");
        } else if (o->argument) {
            printf(" -x -a '");
            put_words(choice_for(o), o->argument);
            putchar('\'');
        }
        printf(" -d '");
        put_quoted(o->help, "\\");
        printf("'\n");
    }
    if (choice_of(c->operands) <= OF_FILES) return;
    printf("complete -c cenote -n '__fish_seen_subcommand_from %s' -f -a '", c->name);
    put_words(choice_of(c->operands), c->operands);
    printf("'\n");
}

static void put_fish(void)
{
    printf("# fish completion for cenote: cenote completion fish | source\n");
    for (int i = 0; commands[i]; i++) put_fish_command(commands[i]);
}

/* ---- the command --------------------------------------------------------------------------- */

static int run(const Args *args)
{
    static const struct {
        const char *name;
        void (*put)(void);
    } shells[] = { { "bash", put_bash }, { "zsh", put_zsh }, { "fish", put_fish } };
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++)
        if (strcmp(operand(args, 0), shells[i].name) == 0) {
            shells[i].put();
            return EXIT_OK;
        }
    return failed_with(args, EXIT_USAGE,
                       "completion: there is none for '%s'; it must be bash, zsh or fish",
                       operand(args, 0));
}

const Command command_completion = {
    .name = "completion",
    .operands = "bash|zsh|fish",
    .least = 1,
    .most = 1,
    .about = "print a completion script for a shell",
    .details = "bash: put `source <(cenote completion bash)` into ~/.bashrc.\n\n"
               "zsh: write it to a file _cenote in a folder of $fpath.\n\n"
               "fish: write it to ~/.config/fish/completions/cenote.fish.",
    .run = run,
    .instant = true,
};
