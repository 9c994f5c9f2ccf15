/* doctor.c - cenote doctor: what this machine and this build have, and whether they compute. */
#include "app/app.h"
#include "app/json.h"
#include "app/table.h"

#include <cenote/cenote.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum { GOOD, MISSING, BROKEN } Verdict;

static const char *const verdict_names[] = { "ok", "missing", "BROKEN" };

typedef struct {
    Verdict verdict;
    char text[600];
} Finding;

static void tell(Finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void tell(Finding *f, const char *fmt, ...)
{
    size_t used = strlen(f->text);
    va_list list;
    va_start(list, fmt);
    vsnprintf(f->text + used, sizeof f->text - used, fmt, list);
    va_end(list);
}

/* The library's error is the finding. What a build lacks is not broken. */
static Verdict library_failed(Finding *f)
{
    Verdict v = cn_error_code() == CN_EUNSUPPORTED ? MISSING : BROKEN;
    tell(f, "%s", cn_error());
    cn_error_clear();
    return v;
}

/* ---- what there is ------------------------------------------------------------------------- */

static Verdict look_at_version(Finding *f)
{
    tell(f, "%s", cn_version());
    if (strcmp(cn_version(), CN_VERSION) == 0) return GOOD;
    tell(f, ", but the program was made for %s", CN_VERSION);
    return BROKEN;
}

static Verdict look_at_processor(Finding *f)
{
#if defined(__x86_64__)
    tell(f, "x86-64");
    if (__builtin_cpu_supports("avx2")) tell(f, " avx2");
    if (__builtin_cpu_supports("fma")) tell(f, " fma");
    if (__builtin_cpu_supports("avx512f")) tell(f, " avx512f");
    if (__builtin_cpu_supports("avx512bw")) tell(f, " avx512bw");
    if (__builtin_cpu_supports("avx512vnni")) tell(f, " avx512vnni");
#elif defined(__aarch64__)
    tell(f, "aarch64");
#else
    tell(f, "another than x86-64 and aarch64");
#endif
    tell(f, "; engines: %s", cn_engines());
    return GOOD;
}

static Verdict look_at_threads(Finding *f)
{
    tell(f, "%d of %ld cores", cn_threads(), sysconf(_SC_NPROCESSORS_ONLN));
    return cn_threads() > 0 ? GOOD : BROKEN;
}

static Verdict look_at_memory(Finding *f)
{
    cn_memory_stats m = cn_memory();
    double pages = (double)sysconf(_SC_PHYS_PAGES), page = (double)sysconf(_SC_PAGESIZE);
    tell(f, "%.1f GiB in the machine; %zu bytes live, %zu at most, %zu kept", pages * page / 0x1p30,
         m.live_bytes, m.peak_bytes, m.cached_bytes);
    return GOOD;
}

static Verdict look_at_data(Finding *f)
{
    cn_data_info info;
    int found = 0;
    for (int i = 0; i < cn_data_count(); i++) {
        if (!cn_data_at(i, &info)) return library_failed(f);
        if (!info.built_in && !*info.folder) continue;
        tell(f, "%s%s", found++ ? ", " : "", info.name);
    }
    if (found < cn_data_count())
        tell(f, "; 'cenote data list' says how to get the other %d", cn_data_count() - found);
    return GOOD;
}

/* ---- does it work? ------------------------------------------------------------------------- */

static bool read_back(const char *path, double wanted)
{
    cn_dict *d = cn_load(path);
    cn_tensor *t = d ? cn_dict_tensor(d, "x") : NULL;
    bool good = t && cn_at(t, CN_SHAPE(1, 2)) == wanted;
    cn_dict_free(d);
    return good || cn_fail(CN_EIO, "%s does not hold what was written", path);
}

static bool write_tensors(const char *path)
{
    static const float x[] = { 1, 2, 3, 4, 5, 6 };
    cn_dict *d = cn_dict_new();
    bool good =
        d && cn_dict_set_tensor(d, "x", cn_from(x, CN_SHAPE(2, 3), CN_F32)) && cn_save(path, d);
    cn_dict_free(d);
    return good && read_back(path, 6);
}

static bool write_figure(const char *path)
{
    static const double y[] = { 3, 1, 2 };
    cn_figure *figure = cn_figure_new("figure");
    bool good = figure && cn_figure_line(figure, "y", NULL, y, 3) && cn_figure_save(figure, path);
    cn_figure_free(figure);
    return good;
}

/* Lets `write` make a file with that ending in a temporary folder. */
static Verdict try_file(Finding *f, const char *ending, bool (*write)(const char *path))
{
    const char *tmp = getenv("TMPDIR");
    char folder[400], path[500];
    snprintf(folder, sizeof folder, "%s/cenote-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) {
        tell(f, "cannot make a folder %s", folder);
        return BROKEN;
    }
    snprintf(path, sizeof path, "%s/try.%s", folder, ending);
    Verdict v = write(path) ? GOOD : library_failed(f);
    if (v == GOOD) tell(f, "%s", ending);
    unlink(path);
    rmdir(folder);
    return v;
}

static Verdict try_files(Finding *f)
{
    return try_file(f, "safetensors", write_tensors);
}

static Verdict try_png(Finding *f)
{
    return try_file(f, "png", write_figure);
}

static Verdict try_svg(Finding *f)
{
    return try_file(f, "svg", write_figure);
}

enum { N = 96 };

/* A small integer, so that sums of products are exact in float32 whatever their order. */
static float entry(int i, int j)
{
    return (float)((i * 7 + j * 3) % 11 - 5);
}

static cn_tensor *matrix(int offset)
{
    float x[N * N];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) x[i * N + j] = entry(i + offset, j);
    return cn_from(x, CN_SHAPE(N, N), CN_F32);
}

static Verdict try_product(Finding *f)
{
    float c[N * N];
    if (!cn_read(cn_matmul(matrix(0), matrix(1)), CN_F32, c, (int64_t)N * N))
        return library_failed(f);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            float sum = 0;
            for (int k = 0; k < N; k++) sum += entry(i, k) * entry(k + 1, j);
            if (sum == c[i * N + j]) continue;
            tell(f, "element (%d, %d) is %g, not %g", i, j, (double)c[i * N + j], (double)sum);
            return BROKEN;
        }
    tell(f, "%d x %d, exact", N, N);
    return GOOD;
}

/* The gradient of sum(tanh(x)^2) at 0.5 is 2 tanh(0.5) (1 - tanh(0.5)^2). */
static Verdict try_gradient(Finding *f)
{
    double t = tanh(0.5), wanted = 2 * t * (1 - t * t);
    cn_tensor *x = cn_requires_grad(cn_full(CN_SHAPE(3), 0.5, CN_F32), true);
    cn_tensor *y = cn_tanh(x);
    if (!cn_backward(cn_sum(cn_mul(y, y)))) return library_failed(f);
    double got = cn_at(cn_grad(x), CN_SHAPE(2));
    if (!cn_ok()) return library_failed(f);
    tell(f, "%.7f, expected %.7f", got, wanted);
    return fabs(got - wanted) < 1e-6 ? GOOD : BROKEN;
}

/* ---- the report ---------------------------------------------------------------------------- */

static const struct {
    const char *name;
    Verdict (*run)(Finding *f);
} checks[] = {
    { "version", look_at_version }, { "processor", look_at_processor },
    { "threads", look_at_threads }, { "data sets", look_at_data },
    { "files", try_files },         { "figures: SVG", try_svg },
    { "figures: PNG", try_png },    { "matrix product", try_product },
    { "gradient", try_gradient },   { "memory", look_at_memory },
};

enum { N_CHECKS = sizeof checks / sizeof checks[0] };

static json_t *report_as_json(const Finding *found, bool healthy)
{
    json_t *list = json_array();
    for (int i = 0; i < N_CHECKS; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "check", checks[i].name, "verdict",
                                              verdict_names[found[i].verdict], "text",
                                              json_text(found[i].text)));
    return json_pack("{s:o, s:b}", "checks", list, "healthy", healthy);
}

static bool print_report(const Finding *found)
{
    Table t = { .columns = 3 };
    for (int i = 0; i < N_CHECKS; i++) {
        table_cell(&t, "%s", checks[i].name);
        table_cell(&t, "%s", verdict_names[found[i].verdict]);
        table_cell(&t, "%s", found[i].text);
    }
    return table_print(&t);
}

static int run(const Args *args)
{
    Finding found[N_CHECKS] = { { GOOD, "" } };
    int broken = 0;
    for (int i = 0; i < N_CHECKS; i++) {
        CN_SCOPE
        {
            found[i].verdict = checks[i].run(&found[i]);
        }
        broken += found[i].verdict == BROKEN;
    }
    if (json_wanted(args)) {
        int code = print_json(args, report_as_json(found, broken == 0));
        return broken ? EXIT_FAILED : code;
    }
    if (!print_report(found)) return failed_with(args, EXIT_FAILED, "out of memory");
    if (!broken) return EXIT_OK;
    return failed_with(args, EXIT_FAILED, "%d of %d checks found something broken", broken,
                       N_CHECKS);
}

const Command command_doctor = {
    .name = "doctor",
    .operands = "",
    .about = "check this machine and this build",
    .details = "Shows what was found and computes a product and a gradient whose values are known. "
               "'missing' is what this build does without; exit status 1 means that something is "
               "broken.",
    .examples = "cenote doctor",
    .run = run,
};
