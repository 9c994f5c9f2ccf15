/* commands.c - the list of commands: a new one is a file of this folder and a line here. */
#include "app/commands.h"

#include <string.h>

extern const Command command_train, command_eval, command_predict, command_generate,
    command_translate;
extern const Command command_summary, command_plot;
extern const Command command_list, command_data, command_inspect, command_convert;
extern const Command command_ops, command_op, command_bench, command_doctor, command_book;
extern const Command command_help, command_man, command_completion;

const Command *const commands[] = {
    &command_list,      &command_train,   &command_eval,       &command_predict, &command_generate,
    &command_translate, &command_summary, &command_plot,       &command_data,    &command_ops,
    &command_op,        &command_inspect, &command_convert,    &command_book,    &command_bench,
    &command_doctor,    &command_help,    &command_completion, &command_man,     NULL,
};

enum { MANY = sizeof commands / sizeof commands[0] };

const Command *command_named(const char *name)
{
    for (int i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}

int unknown_command(const char *name)
{
    const char *known[MANY + 2] = { "--help", "--version" };
    for (int i = 0; commands[i]; i++) known[i + 2] = commands[i]->name;
    const char *near = nearest(name, known);
    if (near)
        return failed_with(NULL, EXIT_USAGE, "there is no command '%s'; did you mean '%s'?", name,
                           near);
    return failed_with(NULL, EXIT_USAGE, "there is no command '%s'; cenote --help lists them",
                       name);
}
