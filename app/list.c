/* list.c - cenote list: the networks and the data sets there are. */
#include "app/corpus.h"
#include "app/json.h"
#include "app/table.h"

#include <cenote/data.h>
#include <models/models.h>
#include <stdio.h>

static int list_as_json(const Args *args)
{
    json_t *models = json_array(), *data = json_array(), *texts = json_array();
    cn_data_info info;
    for (int i = 0; cn_models[i]; i++) {
        const cn_model *m = cn_models[i];
        json_array_append_new(
            models, json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:I, s:I, s:f}", "name", m->name,
                              "title", m->title, "section", m->section, "about", m->about, "input",
                              json_shape(m->input.dim, m->input.ndim), "data", m->data, "batch",
                              (json_int_t)m->batch, "epochs", (json_int_t)m->epochs, "lr", m->lr));
    }
    for (int i = 0; i < cn_data_count(); i++)
        if (cn_data_at(i, &info)) json_array_append_new(data, json_string(info.name));
    for (int i = 0; corpus_names[i].name; i++)
        json_array_append_new(texts, json_string(corpus_names[i].name));
    return print_json(args,
                      json_pack("{s:o, s:o, s:o}", "models", models, "data", data, "texts", texts));
}

static bool print_models(void)
{
    Table t = { .columns = 4 };
    puts("Models:");
    for (int i = 0; cn_models[i]; i++) {
        const cn_model *m = cn_models[i];
        table_cell(&t, "  %s", m->name);
        table_cell(&t, "D2L %s", m->section);
        table_cell(&t, "%s", m->title);
        table_cell(&t, "%s", m->about);
    }
    return table_print(&t);
}

static bool print_data(void)
{
    Table t = { .columns = 3 };
    cn_data_info info;
    puts("\nData sets:");
    for (int i = 0; i < cn_data_count(); i++) {
        if (!cn_data_at(i, &info)) return false;
        table_cell(&t, "  %s", info.name);
        table_cell(&t, "%s", info.built_in ? "built in" : *info.folder ? "found" : "missing");
        table_cell(&t, "%s", info.about);
    }
    return table_print(&t);
}

static bool print_texts(void)
{
    Table t = { .columns = 2 };
    puts("\nTexts, for language models:");
    for (int i = 0; corpus_names[i].name; i++) {
        table_cell(&t, "  %s", corpus_names[i].name);
        table_cell(&t, "%s", corpus_names[i].about);
    }
    return table_print(&t);
}

static int run(const Args *args)
{
    if (json_wanted(args)) return list_as_json(args);
    return print_models() && print_data() && print_texts() ? EXIT_OK : failed(args);
}

const Command command_list = {
    .name = "list",
    .operands = "",
    .about = "list the models and the data sets",
    .examples = "cenote list",
    .run = run,
    .instant = true,
};
