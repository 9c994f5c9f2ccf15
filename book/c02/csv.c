/* csv.c - a table becomes a tensor (D2L 2.2). */
#include "book/book.h"

#include <string.h>

static const char house_tiny[] = "NumRooms,Alley,Price\n"
                                 "NA,Pave,127500\n"
                                 "2,NA,106000\n"
                                 "4,NA,178100\n"
                                 "NA,NA,140000\n";

static const char *column_name(const cn_dict *table, int i)
{
    const char *name = cn_dict_key(table, i);
    return name ? name : "";
}

static void run(Lab *lab)
{
    cn_dict *data =
        cn_csv_parse(house_tiny, strlen(house_tiny),
                     &(cn_csv_options){ .size = sizeof(cn_csv_options), .path = "house_tiny.csv" });
    lab_number(lab, "rows", (double)cn_table_rows(data), 4, 0);
    lab_number(lab, "columns", cn_dict_count(data), 3, 0);
    lab_values(lab, "Price", cn_dict_tensor(data, "Price"), 0, 127500, 106000, 178100, 140000);
    lab_number(lab, "NumRooms missing", (double)cn_table_missing(data, "NumRooms"), 2, 0);

    /* Missing numbers become the mean of the others, missing words a category. */
    cn_dict *inputs = cn_table_drop(data, "Price"), *filled = cn_table_fillna_mean(inputs);
    lab_values(lab, "NumRooms filled with the mean", cn_dict_tensor(filled, "NumRooms"), 0, 3, 2, 4,
               3);
    cn_dict *whole = cn_table_dropna(data);
    lab_number(lab, "rows without anything missing", (double)cn_table_rows(whole), 0, 0);

    cn_dict *dummies = cn_table_get_dummies(filled, true);
    lab_text(lab, "its second column", column_name(dummies, 1), "Alley_Pave");
    lab_text(lab, "its third column", column_name(dummies, 2), "Alley_nan");
    lab_values(lab, "the inputs as a tensor", cn_table_tensor(dummies, CN_F32), 0, 3, 1, 0, 2, 0, 1,
               4, 0, 1, 3, 0, 1);
    cn_dict *const all[] = { dummies, whole, filled, inputs, data };
    for (int i = 0; i < 5; i++) cn_dict_free(all[i]);

    /* As in the files of Kaggle: quoted fields with separators and line ends in them. */
    const char quoted[] =
        "Id,\"Type, style\"\n1,\"2-Story, 1946 & \"\"newer\"\"\"\n2,\"1-Story\nold\"\n";
    cn_dict *kaggle =
        cn_csv_parse(quoted, strlen(quoted),
                     &(cn_csv_options){ .size = sizeof(cn_csv_options), .path = "kaggle.csv" });
    const cn_value *words = kaggle ? cn_dict_find(kaggle, "Type, style") : NULL;
    lab_text(lab, "a quoted field", words ? words->u.list[0].u.s : "", "2-Story, 1946 & \"newer\"");
    lab_text(lab, "one of two lines", words ? words->u.list[1].u.s : "", "1-Story\nold");
    cn_dict_free(kaggle);

    cn_csv_parse("a,b\n1,2\n3\n", 10,
                 &(cn_csv_options){ .size = sizeof(cn_csv_options), .path = "bad.csv" });
    lab_refused(lab, "a line that is too short", "bad.csv:3");
}

const Experiment experiment_c02_csv = {
    .id = "C02-CSV C02-NAN C02-ONEHOT",
    .title = "Data preprocessing: reading, missing values, categories",
    .title_zh = "数据预处理",
    .section = "2.2",
    .published = "NumRooms [3, 2, 4, 3]; inputs [[3, 1, 0], [2, 0, 1], [4, 0, 1], [3, 0, 1]]",
    .run = run,
};
