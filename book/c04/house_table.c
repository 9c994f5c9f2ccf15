/* house_table.c - the table of houses: read or generated, made into features, answered. */
#include "book/c04/house.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the tables ------------------------------------------------------------------------------ */

/* One house: what is known of it decides the price, but for noise of a tenth. */
static void put_house(FILE *out, cn_rng *rng, int id, bool with_price)
{
    static const char *const towns[] = { "Meadow", "Old Town", "Hill", "Harbour", "Park, north" };
    static const double worth[] = { 0, -0.1, 0.12, 0.2, 0.05 };
    int town = (int)cn_rng_below(rng, 5), quality = 1 + (int)cn_rng_below(rng, 10);
    int year = 1900 + (int)cn_rng_below(rng, 110);
    double area = exp(5 + 0.3 * cn_rng_normal(rng)), front = 15 + 3 * cn_rng_normal(rng);
    bool garage = cn_rng_uniform(rng) < 0.7, measured = cn_rng_uniform(rng) < 0.8;
    double log_price = 8 + 0.6 * log(area) + 0.04 * quality + 0.002 * (year - 1900) + worth[town] +
                       (garage ? 0.1 : 0) + 0.1 * cn_rng_normal(rng);
    fprintf(out, "%d,\"%s\",%.0f,%d,%d,%s,", id, towns[town], area, quality, year,
            garage ? "Attached" : "NA");
    if (measured) fprintf(out, "%.1f", front);
    else fputs("NA", out);
    if (with_price) fprintf(out, ",%.0f", exp(log_price));
    fputc('\n', out);
}

static cn_dict *generated(Lab *lab, int first, int n, bool with_price)
{
    char *text = NULL;
    size_t size = 0;
    cn_rng rng = cn_rng_make(lab_options(lab)->seed, (uint64_t)first);
    FILE *out = open_memstream(&text, &size);
    if (!out) return cn_fail(CN_ENOMEM, "house: no memory for a table"), NULL;
    fprintf(out, "Id,Neighborhood,LivArea,Quality,YearBuilt,Garage,LotFrontage%s\n",
            with_price ? ",SalePrice" : "");
    for (int i = 0; i < n; i++) put_house(out, &rng, first + i, with_price);
    cn_dict *table = NULL;
    if (fclose(out) == 0)
        table = cn_csv_parse(
            text, size,
            &(cn_csv_options){ .size = sizeof(cn_csv_options), .path = "generated houses" });
    free(text);
    return table;
}

static cn_dict *from_kaggle(const char *part)
{
    char path[1024];
    const char *root = getenv("CENOTE_DATA");
    snprintf(path, sizeof path, "%s/house-prices/kaggle_house_pred_%s.csv", root ? root : ".",
             part);
    if (access(path, R_OK)) return NULL;
    return cn_csv_read(path);
}

bool house_tables(Lab *lab, Houses *h)
{
    if (lab_options(lab)->real) {
        h->train = from_kaggle("train");
        h->test = from_kaggle("test");
        if (cn_ok() && (!h->train || !h->test))
            lab_skip(lab, "house-prices: kaggle_house_pred_train.csv and _test.csv are not in "
                          "$CENOTE_DATA/house-prices");
    } else {
        h->train = generated(lab, 1, 500, true);
        h->test = generated(lab, 501, 200, false);
    }
    if (!h->train || !h->test) return false;
    h->price = cn_unsqueeze(cn_to(cn_dict_tensor(h->train, "SalePrice"), CN_F32), 1);
    lab_number(lab, "columns", cn_dict_count(h->train), cn_dict_count(h->test) + 1, 0);
    lab_say(lab, "%lld houses with prices, %lld without", (long long)cn_table_rows(h->train),
            (long long)cn_table_rows(h->test));
    return cn_ok();
}

/* ---- features -------------------------------------------------------------------------------- */

/* The third moment of what is there, in standard deviations. */
static double skewness(cn_tensor *column)
{
    cn_tensor *there = cn_masked_select(column, cn_logical_not(cn_isnan(column)));
    cn_tensor *z = cn_sub(there, cn_mean(there));
    double std = sqrt(cn_item(cn_mean(cn_square(z))));
    return cn_item(cn_mean(cn_mul(z, cn_square(z)))) / (std * std * std);
}

/* log(1 + x) of the columns of numbers that have a long tail; a new table. */
static cn_dict *shorten_tails(const cn_dict *table)
{
    cn_dict *out = cn_dict_copy(table);
    for (int i = 0; out && i < cn_dict_count(table) && cn_ok(); i++) {
        const cn_value *v = cn_dict_at(table, i);
        if (v->kind != CN_KIND_TENSOR || cn_dtype_of(v->u.t) == CN_BOOL) continue;
        cn_tensor *column = cn_to(v->u.t, CN_F64);
        if (skewness(column) > 0.75)
            cn_dict_set_tensor(out, cn_dict_key(table, i), cn_log1p(column));
    }
    return out;
}

/* The next table, and the last one is no longer needed. */
static cn_dict *then(cn_dict *last, cn_dict *next)
{
    cn_dict_free(last);
    return next;
}

LabData house_features(const Houses *h, bool logs)
{
    cn_dict *train = cn_table_drop(h->train, "SalePrice");
    cn_dict *t = cn_table_concat(train, h->test);
    cn_dict_free(train);
    t = then(t, cn_table_drop(t, "Id"));
    if (logs) t = then(t, shorten_tails(t));
    t = then(t, cn_table_standardize(t));
    t = then(t, cn_table_fillna(t, 0));
    t = then(t, cn_table_get_dummies(t, true));
    LabData d = { cn_table_tensor(t, CN_F32), NULL };
    cn_dict_free(t);
    return d;
}

/* ---- the answer ------------------------------------------------------------------------------ */

static bool write_answer(const char *path, const Houses *h, cn_tensor *price)
{
    cn_dict *answer = cn_dict_new();
    bool ok = answer && cn_dict_set_tensor(answer, "Id", cn_dict_tensor(h->test, "Id")) &&
              cn_dict_set_tensor(answer, "SalePrice", cn_squeeze(price, CN_SHAPE(1))) &&
              cn_csv_write(path, answer);
    cn_dict_free(answer);
    return ok;
}

/* Among the results, or in a file to be removed where none are kept. */
static bool answer_path(Lab *lab, char *path, size_t room)
{
    const char *folder = lab_options(lab)->folder;
    if (!folder) return lab_new_file(path, ".csv");
    int length = snprintf(path, room, "%s/submission.csv", folder);
    return (length >= 0 && (size_t)length < room) || cn_fail(CN_EINVALID, "house: long path");
}

void house_submit(Lab *lab, const Houses *h, cn_tensor *price)
{
    char path[1024];
    if (!answer_path(lab, path, sizeof path) || !write_answer(path, h, price)) return;
    cn_dict *read = cn_csv_read(path);
    lab_number(lab, "submission: columns", cn_dict_count(read), 2, 0);
    lab_same(lab, "submission: Id", cn_dict_tensor(read, "Id"), cn_dict_tensor(h->test, "Id"), 0);
    cn_tensor *back = cn_to(cn_dict_tensor(read, "SalePrice"), CN_F32);
    lab_same(lab, "submission: SalePrice", back, cn_squeeze(price, CN_SHAPE(1)), 0.5);
    double level = exp(cn_item(cn_mean(cn_log(h->price))));
    lab_number(lab, "mean of predicted prices, in that of known ones",
               exp(cn_item(cn_mean(cn_log(back)))) / level, 1, 0.1);
    lab_number(lab, "their spread, in the same",
               cn_item(cn_std(cn_log(back))) / cn_item(cn_std(cn_log(h->price))), 1, 0.25);
    cn_dict_free(read);
    if (lab_options(lab)->folder) lab_say(lab, "written: %s", path);
    else unlink(path);
}
